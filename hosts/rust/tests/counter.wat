;; A hand-written artifact that follows the ABI: an 8-bit counter with an enable, a memory of four rows, a packed
;; and a wide register, an outline and three event sites. Its manifest is counter.json.
;;
;; 1024 control block   2048 state header   2112 trigger row of clk   2160 scalars   2184 memory   2192 end of state
;; 4096 event ring (256 bytes)   8192 host memory (128 bytes)   16384 outline
(module
  (memory (export "memory") 1)
  (global (export "rtl_abi") i32 (i32.const 0x10000))

  ;; magic, abi, features, state_base, state_len, triggers, host, events
  (data (i32.const 1024) "rtlw\00\00\01\00\00\00\00\00\00\00\00\00\00\08\00\00\00\00\00\00\90\00\00\00\00\00\00\00")
  (data (i32.const 1056) "\40\08\00\00\01\00\00\00\00\20\00\00\80\00\00\00\00\10\00\00\00\01\00\00")
  (data (i32.const 1116) "\ff\ff\ff\ff")
  ;; high, low of the clock
  (data (i32.const 2120) "\f4\01\00\00\00\00\00\00\f4\01\00\00\00\00\00\00")

  (func $status (param i32) (result i32)
    (i32.store (i32.const 1112) (local.get 0))
    (local.get 0))

  ;; 1 when 64 bytes fit the ring
  (func $room (result i32)
    (i32.le_u (i32.sub (i32.load (i32.const 1080)) (i32.load (i32.const 1084))) (i32.const 192)))

  ;; a record of 32 bytes, so that it never wraps: site, argument, filler argument
  (func $event (param $site i32) (param $arg i64)
    (local $at i32)
    (local.set $at (i32.add (i32.const 4096) (i32.and (i32.load (i32.const 1080)) (i32.const 255))))
    (i32.store (local.get $at) (i32.const 32))
    (i32.store offset=4 (local.get $at) (local.get $site))
    (i64.store offset=8 (local.get $at) (i64.load (i32.const 2056)))
    (i64.store offset=16 (local.get $at) (local.get $arg))
    (i64.store offset=24 (local.get $at) (i64.const 0))
    (i32.store (i32.const 1080) (i32.add (i32.load (i32.const 1080)) (i32.const 32))))

  ;; the rising edge; 1 when the design finished
  (func $rise (result i32)
    (i32.store8 (i32.const 2152) (i32.const 1))
    (i32.store8 (i32.const 2153) (i32.const 1))
    (i64.store (i32.const 2144) (i64.add (i64.load (i32.const 2144)) (i64.const 1)))
    (if (i32.eqz (i32.load8_u (i32.const 2160))) (then (return (i32.const 0))))
    (call $event (i32.const 0) (i64.load8_u (i32.const 2161)))
    (i32.store8 (i32.const 2161) (i32.add (i32.load8_u (i32.const 2161)) (i32.const 1)))
    (i32.store16 (i32.const 2184) (i32.load8_u (i32.const 2161)))
    (if (i32.ne (i32.load8_u (i32.const 2161)) (i32.const 200)) (then (return (i32.const 0))))
    (call $event (i32.const 1) (i64.const 0))
    (i32.const 1))

  (func $fall
    (i32.store8 (i32.const 2152) (i32.const 0))
    (i32.store8 (i32.const 2153) (i32.const 0)))

  (func (export "rtl_reset") (result i32)
    (memory.fill (i32.const 2160) (i32.const 0) (i32.const 32))
    (i64.store (i32.const 2048) (i64.const 0x1122334455667788))
    (i64.store (i32.const 2056) (i64.const 0))
    (i64.store (i32.const 2112) (i64.load (i32.const 2136)))
    (i64.store (i32.const 2144) (i64.const 0))
    (call $fall)
    (i32.store16 (i32.const 2186) (i32.const 0xbeef))
    (i32.store (i32.const 1080) (i32.const 0))
    (i32.store (i32.const 1084) (i32.const 0))
    (call $event (i32.const 2) (i64.load (i32.const 2064)))
    (call $status (i32.const 0)))

  (func $eval (export "rtl_eval") (result i32)
    (i32.store (i32.const 1108) (i32.const 0))
    (if (i32.eqz (call $room)) (then (return (call $status (i32.const 4)))))
    (if (i32.gt_u (i32.load8_u (i32.const 2152)) (i32.load8_u (i32.const 2153)))
      (then (return (call $status (call $rise)))))
    (i32.store8 (i32.const 2153) (i32.load8_u (i32.const 2152)))
    (call $status (i32.const 0)))

  (func $step (export "rtl_step") (param $clock i32) (param $n i64) (result i32)
    (local $done i64) (local $status i32)
    (i64.store (i32.const 1120) (i64.const 0))
    (if (local.get $clock) (then (return (call $status (i32.const 6)))))
    (block $end
      (loop $cycle
        (br_if $end (i64.eq (local.get $done) (local.get $n)))
        (if (i32.eqz (call $room)) (then (local.set $status (i32.const 4)) (br $end)))
        (if (i32.eqz (i32.load8_u (i32.const 2152)))
          (then
            (local.set $status (call $rise))
            (i64.store (i32.const 2056) (i64.add (i64.load (i32.const 2056)) (i64.load (i32.const 2120))))
            (br_if $end (local.get $status))))
        (call $fall)
        (i64.store (i32.const 2056) (i64.add (i64.load (i32.const 2056)) (i64.load (i32.const 2128))))
        (local.set $done (i64.add (local.get $done) (i64.const 1)))
        (i64.store (i32.const 1120) (local.get $done))
        (br $cycle)))
    (call $status (local.get $status)))

  (func (export "rtl_edges") (param $rise i64) (param $fall i64) (result i32)
    (if (i32.eqz (call $room)) (then (return (call $status (i32.const 4)))))
    (if (i32.and (i32.wrap_i64 (local.get $rise)) (i32.eqz (i32.load8_u (i32.const 2152))))
      (then (return (call $status (call $rise)))))
    (if (i32.wrap_i64 (local.get $fall)) (then (call $fall)))
    (call $status (i32.const 0)))

  (func (export "rtl_advance") (param $until i64) (result i32)
    (local $status i32)
    (loop $flip
      (if (i32.and (i32.load8_u (i32.const 2154)) (i64.le_u (i64.load (i32.const 2112)) (local.get $until)))
        (then
          (if (i32.eqz (call $room)) (then (return (call $status (i32.const 4)))))
          (i64.store (i32.const 2056) (i64.load (i32.const 2112)))
          (if (i32.load8_u (i32.const 2152))
            (then
              (call $fall)
              (i64.store (i32.const 2112) (i64.add (i64.load (i32.const 2112)) (i64.load (i32.const 2128)))))
            (else
              (local.set $status (call $rise))
              (i64.store (i32.const 2112) (i64.add (i64.load (i32.const 2112)) (i64.load (i32.const 2120))))
              (if (local.get $status) (then (return (call $status (local.get $status)))))))
          (br $flip))))
    (i64.store (i32.const 2056) (local.get $until))
    (call $status (i32.const 0)))

  (func (export "rtl_run_until") (param $clock i32) (param $max i64) (param $offset i32) (param $mask i64)
      (param $value i64) (result i32)
    (local $done i64) (local $status i32)
    (loop $cycle
      (i64.store (i32.const 1120) (local.get $done))
      (if (i64.eq (i64.and (i64.load (local.get $offset)) (local.get $mask)) (local.get $value))
        (then (return (call $status (i32.const 0)))))
      (if (i64.eq (local.get $done) (local.get $max)) (then (return (call $status (i32.const 8)))))
      (local.set $status (call $step (local.get $clock) (i64.const 1)))
      (local.set $done (i64.add (local.get $done) (i64.load (i32.const 1120))))
      (br_if $cycle (i32.eqz (local.get $status))))
    (i64.store (i32.const 1120) (local.get $done))
    (call $status (local.get $status)))

  ;; signal 6 is three times the count and lies nowhere
  (func $peek (export "rtl_peek") (param $id i32) (param $word i32) (result i64)
    (drop (call $status (i32.const 0)))
    (if (i32.eq (local.get $id) (i32.const 2)) (then (return (i64.load8_u (i32.const 2161)))))
    (if (i32.eq (local.get $id) (i32.const 6))
      (then (return (i64.mul (i64.load8_u (i32.const 2161)) (i64.const 3)))))
    (drop (call $status (i32.const 6)))
    (i64.const 0))

  (func $poke (export "rtl_poke") (param $id i32) (param $word i32) (param $value i64) (result i32)
    (if (i32.ne (local.get $id) (i32.const 1)) (then (return (call $status (i32.const 9)))))
    (i64.store8 (i32.const 2160) (local.get $value))
    (call $status (i32.const 0)))

  (func (export "rtl_outline") (param i32) (result i32)
    (i32.store8 (i32.const 16384) (i32.add (i32.load8_u (i32.const 2161)) (i32.const 1)))
    (call $status (i32.const 0)))

  ;; poke, peek, step and expect
  (func $record (param $at i32) (result i32)
    (local $op i32) (local $status i32) (local $id i32)
    (local.set $op (i32.load (local.get $at)))
    (local.set $id (i32.load offset=4 (local.get $at)))
    (if (i32.eq (local.get $op) (i32.const 1))
      (then (return (call $poke (local.get $id) (i32.const 0) (i64.load offset=16 (local.get $at))))))
    (if (i32.eq (local.get $op) (i32.const 2))
      (then
        (i64.store offset=16 (local.get $at) (call $peek (local.get $id) (i32.const 0)))
        (return (i32.load (i32.const 1112)))))
    (if (i32.eq (local.get $op) (i32.const 4))
      (then
        (local.set $status
          (call $step (local.get $id)
            (i64.sub (i64.load offset=16 (local.get $at)) (i64.load offset=24 (local.get $at)))))
        (i64.store offset=24 (local.get $at)
          (i64.add (i64.load offset=24 (local.get $at)) (i64.load (i32.const 1120))))
        ;; 0 when all are done
        (if (i64.eq (i64.load offset=24 (local.get $at)) (i64.load offset=16 (local.get $at)))
          (then (i64.store offset=24 (local.get $at) (i64.const 0))))
        (return (local.get $status))))
    (if (i32.eq (local.get $op) (i32.const 7))
      (then
        (return
          (i32.shl
            (i64.ne
              (i64.and (call $peek (local.get $id) (i32.const 0)) (i64.load offset=24 (local.get $at)))
              (i64.load offset=16 (local.get $at)))
            (i32.const 3)))))
    (i32.const 6))

  (func (export "rtl_play") (param $script i32) (param $len i32) (result i32)
    (local $at i32) (local $status i32)
    (block $end
      (loop $next
        (br_if $end (i32.ge_u (local.get $at) (local.get $len)))
        (local.set $status (call $record (i32.add (local.get $script) (local.get $at))))
        (i32.store offset=12 (i32.add (local.get $script) (local.get $at)) (local.get $status))
        (br_if $end (local.get $status))
        (local.set $at (i32.add (local.get $at) (i32.const 32)))
        (br $next)))
    (i32.store (i32.const 1128) (i32.shr_u (local.get $at) (i32.const 5)))
    (call $status (local.get $status)))
)
