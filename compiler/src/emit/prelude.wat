;; The part of every artifact that does not depend on the design: the exports of the ABI, the time loop,
;; the event ring, and arithmetic on values wider than 64 bits. Words in @signs@ are numbers that the
;; emitter fills in; imports from "gen" are functions that it writes.
(module
  (import "gen" "load_image" (func $load_image))
  (import "gen" "undefined" (func $undefined))
  (import "gen" "settle_pass" (func $settle_pass (result i32)))
  (import "gen" "changes" (func $changes))
  (import "gen" "last" (func $last))
  (import "gen" "carry" (func $carry))
  (import "gen" "wave" (func $wave))
  (import "gen" "rise" (func $rise (param i32)))
  (import "gen" "fall" (func $fall (param i32)))
  (import "gen" "is_released" (func $is_released (param i32) (result i32)))
  (import "gen" "rise_released" (func $rise_released))
  (import "gen" "initial" (func $initial))
  (import "gen" "outline" (func $outline))
  (import "gen" "renew" (func $renew))

  (memory (export "memory") @PAGES@ @PAGES@)
  (global (export "rtl_abi") i32 (i32.const @ABI@))

  ;; ---------------------------------------------------------------- status and events

  (func $finish (param $status i32) (result i32)
    (i32.store offset=@STATUS@ (i32.const 0) (local.get $status))
    (local.get $status))

  ;; The status that an event asked for, 0 when none did.
  (func $pending (result i32)
    (i32.load offset=@PENDING@ (i32.const 0)))

  ;; 1 when rings have room for what one wave may write.
  (func $room (result i32)
    (if (i32.const @TRACE@)
      (then
        (if (i32.and (i32.ne (i32.load offset=@TRACE_ON@ (i32.const 0)) (i32.const 0)) (i32.eqz (call $trace_room)))
          (then (return (i32.const 0))))))
    (i32.le_u
      (i32.add
        (i32.sub (i32.load offset=@EVENT_HEAD@ (i32.const 0)) (i32.load offset=@EVENT_TAIL@ (i32.const 0)))
        (i32.const @EVENT_RESERVE@))
      (i32.const @EVENT_SIZE@)))

  ;; Starts an event record and returns its address; the caller stores the arguments from byte 16 on.
  ;; There is room: whoever began this wave has asked.
  (func $event (export "gen_event") (param $site i32) (param $bytes i32) (result i32)
    (local $head i32) (local $place i32) (local $rest i32)
    (local.set $head (i32.load offset=@EVENT_HEAD@ (i32.const 0)))
    (local.set $place (i32.and (local.get $head) (i32.const @EVENT_LAST@)))
    (local.set $rest (i32.sub (i32.const @EVENT_SIZE@) (local.get $place)))
    (if (i32.lt_u (local.get $rest) (local.get $bytes))
      (then
        (i32.store offset=@EVENT_BASE@ (local.get $place) (local.get $rest))
        (i32.store offset=@EVENT_BASE_SITE@ (local.get $place) (i32.const -1))
        (local.set $head (i32.add (local.get $head) (local.get $rest)))
        (local.set $place (i32.const 0))))
    (local.set $place (i32.add (local.get $place) (i32.const @EVENT_BASE@)))
    (i32.store (local.get $place) (local.get $bytes))
    (i32.store offset=4 (local.get $place) (local.get $site))
    (i64.store offset=8 (local.get $place) (i64.load offset=@TIME@ (i32.const 0)))
    (i32.store offset=@EVENT_HEAD@ (i32.const 0) (i32.add (local.get $head) (local.get $bytes)))
    (local.get $place))

  ;; The first event that stops gives the status.
  (func $stop (export "gen_stop") (param $site i32) (param $status i32)
    (if (i32.eqz (call $pending))
      (then
        (i32.store offset=@PENDING@ (i32.const 0) (local.get $status))
        (i32.store offset=@STOP_SITE@ (i32.const 0) (local.get $site)))))

  ;; ---------------------------------------------------------------- settling and waves

  ;; Settles, and writes the events that follow changes; 0, or 5 when a loop does not settle.
  (func $settle (result i32)
    (local $status i32)
    (local.set $status (call $settle_logic))
    (if (local.get $status) (then (return (local.get $status))))
    (if (i32.const @GENERAL@) (then (call $changes)))
    (i32.const 0))

  (func $settle_logic (result i32)
    (local $left i32)
    (local.set $left (i32.const 1000))
    (block $settled
      (loop $again
        (br_if $settled (i32.eqz (call $settle_pass)))
        (local.set $left (i32.sub (local.get $left) (i32.const 1)))
        (br_if $again (local.get $left)))
      (return (i32.const 5)))
    (i32.const 0))

  ;; Address of a trigger's row.
  (func $row (param $index i32) (result i32)
    (i32.add (i32.const @TRIGGER_BASE@) (i32.mul (local.get $index) (i32.const 48))))

  ;; 1 when the level of one of the first triggers differs from the level its registers acted on.
  (func $edge_pending (param $triggers i32) (result i32)
    (local $i i32) (local $row i32)
    (block $none
      (loop $next
        (br_if $none (i32.ge_u (local.get $i) (local.get $triggers)))
        (local.set $row (call $row (local.get $i)))
        (if (i32.ne (i32.load8_u offset=40 (local.get $row)) (i32.load8_u offset=41 (local.get $row)))
          (then (return (i32.const 1))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next)))
    (i32.const 0))

  ;; After a wave: registers have acted on all levels.
  (func $acted
    (local $i i32) (local $row i32) (local $level i32)
    (block $none
      (loop $next
        (br_if $none (i32.ge_u (local.get $i) (i32.const @TRIGGERS@)))
        (local.set $row (call $row (local.get $i)))
        (local.set $level (i32.load8_u offset=40 (local.get $row)))
        (i64.store offset=32 (local.get $row)
          (i64.add
            (i64.load offset=32 (local.get $row))
            (i64.extend_i32_u
              (i32.and (local.get $level) (i32.xor (i32.load8_u offset=41 (local.get $row)) (i32.const 1))))))
        (i32.store8 offset=41 (local.get $row) (local.get $level))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next))))

  ;; Runs waves until no trigger moves. Ring full leaves the instant pending (phase 1).
  (func $instant (result i32)
    (local $left i32) (local $status i32)
    (local.set $left (i32.const 1000))
    (loop $again
      (if (i32.eqz (call $edge_pending (i32.const @TRIGGERS@)))
        (then
          (i32.store offset=@PHASE@ (i32.const 0) (i32.const 0))
          (if (i32.const @LAST@) (then (call $last)))
          (return (i32.const 0))))
      (if (i32.eqz (local.get $left)) (then (return (i32.const 5))))
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (if (i32.const @EVENTS@)
        (then
          (if (i32.eqz (call $room))
            (then
              (i32.store offset=@PHASE@ (i32.const 0) (i32.const 1))
              (return (i32.const 4))))))
      (if (i32.const @CARRY@) (then (call $carry)))
      (call $wave)
      ;; Only clocks draw: loads that load nothing may have been optimised away.
      (if (i32.const @RANDOM@)
        (then (if (call $edge_pending (i32.const @CLOCKS@)) (then (call $draw)))))
      (call $acted)
      ;; Latches that follow the new state before the next edge does.
      (if (i32.const @SETTLE_EACH@)
        (then
          (local.set $status (call $settle))
          (if (local.get $status) (then (return (local.get $status))))))
      (br $again))
    (unreachable))

  (func $draw
    (i64.store offset=@PRNG@ (i32.const 0)
      (i64.add (i64.load offset=@PRNG@ (i32.const 0)) (i64.const 0x9e3779b97f4a7c15))))

  ;; Nothing sleeps any more, and what was computed ahead is computed again.
  (func $wake
    (call $renew)
    (if (i32.const @ASLEEP_BYTES@)
      (then
        (memory.fill (i32.const @ASLEEP@) (i32.const 0) (i32.const @ASLEEP_BYTES@))
        ;; The next look comes soon.
        (i32.store offset=@SLEEP_VAIN@ (i32.const 0) (i32.const 0))
        (i32.store offset=@SLEEP_COUNTER@ (i32.const 0)
          (i32.and (i32.load offset=@SLEEP_COUNTER@ (i32.const 0)) (i32.const @SLEEP_LOOKS@)))))
    (if (i32.const @AWAKE_BYTES@)
      (then (memory.fill (i32.const @AWAKE@) (i32.const 1) (i32.const @AWAKE_BYTES@)))))

  ;; True when that many bytes, a multiple of eight, are equal.
  (func $same (export "gen_same") (param $a i32) (param $b i32) (param $len i32) (result i32)
    (local $end i32)
    (local.set $end (i32.add (local.get $a) (local.get $len)))
    (block $differs
      (loop $next
        (if (i32.eq (local.get $a) (local.get $end)) (then (return (i32.const 1))))
        (br_if $differs (i64.ne (i64.load (local.get $a)) (i64.load (local.get $b))))
        (local.set $a (i32.add (local.get $a) (i32.const 8)))
        (local.set $b (i32.add (local.get $b) (i32.const 8)))
        (br $next)))
    (i32.const 0))

  ;; Start of every call that runs: takes in what the host wrote, seen as before the first edge, and
  ;; finishes an instant that an earlier call left pending.
  (func $enter (result i32)
    (local $status i32) (local $stop i32)
    (local.set $status (call $prepare))
    (if (local.get $status) (then (return (local.get $status))))
    ;; A stop that an instant found before the ring was full still counts when that is finished.
    (if (i32.eqz (i32.load offset=@PHASE@ (i32.const 0)))
      (then
        (i32.store offset=@PENDING@ (i32.const 0) (i32.const 0))
        (i32.store offset=@STOP_SITE@ (i32.const 0) (i32.const -1))))
    (i64.store offset=@DONE@ (i32.const 0) (i64.const 0))
    (if (i32.const @RINGS@)
      (then (if (i32.eqz (call $room)) (then (return (i32.const 4))))))
    (if (i32.const @TRACE@)
      (then
        (if (call $trace_all)
          (then (if (i32.eqz (call $room)) (then (return (i32.const 4))))))))
    (if (i32.load offset=@DIRTY@ (i32.const 0)) (then (call $wake)))
    (i32.store offset=@DIRTY@ (i32.const 0) (i32.const 0))
    (if (i32.or (i32.const @SETTLE_FIRST@) (i32.load offset=@WATCHING@ (i32.const 0)))
      (then
        (local.set $status (call $settle_before))
        (if (local.get $status) (then (return (local.get $status))))))
    (if (i32.load offset=@WATCHING@ (i32.const 0))
      (then (local.set $stop (call $look (i32.const 0)))))
    (if (i32.or (local.get $stop) (i32.load offset=@PHASE@ (i32.const 0)))
      (then
        ;; The edges that a watch has stopped at are forgotten by a call without watches.
        (if (i32.eqz (i32.load offset=@WATCHING@ (i32.const 0)))
          (then (i32.store offset=@TOLD@ (i32.const 0) (i32.const 0))))
        (local.set $status (call $instant_and_stop (local.get $stop)))
        (if (i32.load offset=@PHASE@ (i32.const 0)) (then (return (local.get $status))))
        (call $pass (i64.load offset=@BEHIND@ (i32.const 0)))
        (i64.store offset=@BEHIND@ (i32.const 0) (i64.const 0))
        ;; The cycle whose fall that was ends in this call.
        (i64.store offset=@DONE@ (i32.const 0)
          (i64.extend_i32_u (i32.shr_u (i32.load offset=@CUT@ (i32.const 0)) (i32.const 31))))))
    (i32.store offset=@CUT@ (i32.const 0) (i32.const 0))
    (local.get $status))

  (func $less (param $n i64) (param $by i64) (result i64)
    (select
      (i64.const 0)
      (i64.sub (local.get $n) (local.get $by))
      (i64.lt_u (local.get $n) (local.get $by))))

  ;; `enter` of a call that makes cycles of a clock: how many of them it has found to be done, a pending one.
  (func $ended (param $clock i32) (param $cut i32) (result i64)
    (select
      (i64.load offset=@DONE@ (i32.const 0))
      (i64.const 0)
      (i32.eq (i32.and (local.get $cut) (i32.const 0x7fffffff)) (i32.add (local.get $clock) (i32.const 1)))))

  ;; An instant, or its end where a watch stops before any wave of it; then the status of an event that stops.
  (func $instant_and_stop (param $stop i32) (result i32)
    (local $status i32)
    (local.set $status
      (if (result i32) (i32.load offset=@WATCHING@ (i32.const 0))
        (then (call $watched_instant (local.get $stop)))
        (else (call $instant))))
    (if (local.get $status) (then (return (local.get $status))))
    (call $pending))

  ;; `enter`, and the edges of clocks that the host has poked.
  (func $take_in (result i32)
    (local $status i32)
    (local.set $status (call $enter))
    (if (local.get $status) (then (return (local.get $status))))
    (call $instant_and_stop (i32.const 0)))

  ;; End of every call that runs: outputs are published. With watches they are after every wave.
  (func $leave (param $status i32) (result i32)
    (local $settled i32)
    (if (i32.eqz (i32.const @GENERAL@))
      (then
        (if (i32.load offset=@WATCHING@ (i32.const 0))
          (then
            (if (i32.or (i32.eqz (local.get $status)) (i32.eq (local.get $status) (i32.const 7)))
              (then (return (call $finish (local.get $status)))))))
        (local.set $settled (call $publish))
        (if (i32.eqz (local.get $status)) (then (local.set $status (local.get $settled))))))
    (call $finish (local.get $status)))

  ;; Settles at the end of a call; while edges are pending, with the levels of before them.
  (func $publish (result i32)
    (if (result i32) (i32.load offset=@PHASE@ (i32.const 0))
      (then (call $settle_before))
      (else (call $settle))))

  ;; ---------------------------------------------------------------- exports that run

  (func (export "rtl_reset") (result i32)
    (call $save_triggers)
    (call $load_image)
    (call $wake)
    (call $restore_triggers)
    ;; Undefined bits have a generator of their own, so that the design's draws do not depend on them.
    (i64.store offset=@PRNG@ (i32.const 0)
      (i64.xor (i64.load offset=@SEED@ (i32.const 0)) (i64.const 0x756e646566)))
    (call $undefined)
    (call $renew)
    (i64.store offset=@PRNG@ (i32.const 0) (i64.load offset=@SEED@ (i32.const 0)))
    (i32.store offset=@EVENT_HEAD@ (i32.const 0) (i32.const 0))
    (i32.store offset=@EVENT_TAIL@ (i32.const 0) (i32.const 0))
    (if (i32.const @TRACE@)
      (then
        (i32.store offset=@TRACE_HEAD@ (i32.const 0) (i32.const 0))
        (i32.store offset=@TRACE_TAIL@ (i32.const 0) (i32.const 0))
        (i32.store offset=@TRACED@ (i32.const 0) (i32.const 0))))
    (i32.store offset=@PENDING@ (i32.const 0) (i32.const 0))
    (i32.store offset=@STOP_SITE@ (i32.const 0) (i32.const -1))
    (i32.store offset=@DIRTY@ (i32.const 0) (i32.const 0))
    (i32.store offset=@STAGE_LEN@ (i32.const 0) (i32.const 0))
    (i64.store offset=@DONE@ (i32.const 0) (i64.const 0))
    (call $finish (call $start)))

  (func $start (result i32)
    (local $status i32)
    (local.set $status (call $settle_logic))
    (if (local.get $status) (then (return (local.get $status))))
    ;; Levels that logic computes at power-on are no edges.
    (call $acted_at_start)
    (call $initial)
    (if (i32.const @LAST@) (then (call $last)))
    (call $pending))

  (func $acted_at_start
    (local $i i32) (local $row i32)
    (block $none
      (loop $next
        (br_if $none (i32.ge_u (local.get $i) (i32.const @TRIGGERS@)))
        (local.set $row (call $row (local.get $i)))
        (i32.store8 offset=41 (local.get $row) (i32.load8_u offset=40 (local.get $row)))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next))))

  ;; `seed` and each trigger's high, low, phase and run outlive a reset; next starts at phase.
  (func $save_triggers
    (i64.store offset=@SAVE@ (i32.const 0) (i64.load offset=@SEED@ (i32.const 0)))
    (memory.copy (i32.const @SAVE_ROWS@) (i32.const @TRIGGER_BASE@) (i32.const @TRIGGER_BYTES@)))

  (func $restore_triggers
    (local $i i32) (local $row i32) (local $saved i32)
    (i64.store offset=@SEED@ (i32.const 0) (i64.load offset=@SAVE@ (i32.const 0)))
    (block $none
      (loop $next
        (br_if $none (i32.ge_u (local.get $i) (i32.const @TRIGGERS@)))
        (local.set $row (call $row (local.get $i)))
        (local.set $saved
          (i32.add (i32.const @SAVE_ROWS@) (i32.mul (local.get $i) (i32.const 48))))
        (i64.store offset=8 (local.get $row) (i64.load offset=8 (local.get $saved)))
        (i64.store offset=16 (local.get $row) (i64.load offset=16 (local.get $saved)))
        (i64.store offset=24 (local.get $row) (i64.load offset=24 (local.get $saved)))
        (i32.store8 offset=42 (local.get $row) (i32.load8_u offset=42 (local.get $saved)))
        (i64.store (local.get $row) (i64.load offset=24 (local.get $row)))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next))))

  (func $eval (export "rtl_eval") (result i32)
    (call $leave (call $take_in)))

  ;; Flips one clock and runs what follows; `alone` says that no other edge is pending.
  (func $half (param $clock i32) (param $row i32) (param $level i32) (param $alone i32) (result i32)
    (if (i32.const @RINGS@) (then (if (i32.eqz (call $room)) (then (return (i32.const 4))))))
    (i32.store8 offset=40 (local.get $row) (local.get $level))
    (if (i32.or (i32.const @GENERAL@) (i32.eqz (local.get $alone)))
      (then (return (call $instant_and_stop (i32.const 0)))))
    (if (local.get $level)
      (then
        (call $rise (local.get $clock))
        (i64.store offset=32 (local.get $row)
          (i64.add (i64.load offset=32 (local.get $row)) (i64.const 1))))
      (else (call $fall (local.get $clock))))
    (i32.store8 offset=41 (local.get $row) (local.get $level))
    (if (i32.const @RANDOM@) (then (call $draw)))
    (if (i32.const @LAST@) (then (call $last)))
    (call $pending))

  ;; Time passes; every running clock's next edge stays as far away as it was.
  (func $pass (param $time i64)
    (local $i i32) (local $row i32)
    (i64.store offset=@TIME@ (i32.const 0)
      (i64.add (i64.load offset=@TIME@ (i32.const 0)) (local.get $time)))
    (block $none
      (loop $next
        (br_if $none (i32.ge_u (local.get $i) (i32.const @TRIGGERS@)))
        (local.set $row (call $row (local.get $i)))
        (i64.store (local.get $row) (i64.add (i64.load (local.get $row)) (local.get $time)))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next))))

  ;; Time passes after a flip; when its instant is left pending, once that is finished.
  (func $pass_after (param $time i64)
    (if (i32.load offset=@PHASE@ (i32.const 0))
      (then (i64.store offset=@BEHIND@ (i32.const 0) (local.get $time)))
      (else (call $pass (local.get $time)))))

  ;; A full ring or a watch cuts a cycle: the next call for the clock goes on with it.
  (func $cut_cycle (param $clock i32) (param $fall i32)
    (i32.store offset=@CUT@ (i32.const 0)
      (i32.or
        (i32.add (local.get $clock) (i32.const 1))
        (i32.shl (local.get $fall) (i32.const 31)))))

  ;; 1 when a flip was refused for want of room; in phase 1 it was done.
  (func $refused (param $status i32) (result i32)
    (i32.and
      (i32.eq (local.get $status) (i32.const 4))
      (i32.eqz (i32.load offset=@PHASE@ (i32.const 0)))))

  ;; n cycles of one clock; counts falls in `done`.
  (func $cycles (param $clock i32) (param $n i64) (result i32)
    (local $row i32) (local $status i32) (local $done i64) (local $alone i32) (local $before i64) (local $plain i32)
    (local.set $row (call $row (local.get $clock)))
    (local.set $plain (i32.eqz (i32.load offset=@WATCHING@ (i32.const 0))))
    (local.set $alone (i32.and (local.get $plain) (i32.eqz (call $edge_pending (i32.const @TRIGGERS@)))))
    (local.set $before (i64.load offset=@DONE@ (i32.const 0)))
    (block $stop
      (loop $next
        (br_if $stop (i64.ge_u (local.get $done) (local.get $n)))
        (if (i32.eqz (i32.load8_u offset=40 (local.get $row)))
          (then
            (if (i32.gt_u (local.get $alone) (i32.const @GENERAL@))
              (then
                (local.set $status
                  (call $quick_cycles (local.get $clock) (local.get $row) (i64.sub (local.get $n) (local.get $done))))
                (local.set $done (i64.sub (i64.load offset=@DONE@ (i32.const 0)) (local.get $before)))
                (br_if $next (i32.eqz (local.get $status)))
                (return (local.get $status))))
            (local.set $status (call $half (local.get $clock) (local.get $row) (i32.const 1) (local.get $alone)))
            (br_if $stop (call $refused (local.get $status)))
            (local.set $alone (local.get $plain))
            (call $pass_after (i64.load offset=8 (local.get $row)))
            (if (local.get $status)
              (then
                (if (i32.load offset=@PHASE@ (i32.const 0)) (then (call $cut_cycle (local.get $clock) (i32.const 0))))
                (br $stop)))))
        (local.set $status (call $half (local.get $clock) (local.get $row) (i32.const 0) (local.get $alone)))
        (if (local.get $status)
          (then
            (if (i32.or (i32.eq (local.get $status) (i32.const 4)) (i32.load offset=@PHASE@ (i32.const 0)))
              (then (call $cut_cycle (local.get $clock) (i32.load offset=@PHASE@ (i32.const 0)))))
            (br_if $stop (call $refused (local.get $status)))))
        (local.set $alone (local.get $plain))
        (call $pass_after (i64.load offset=16 (local.get $row)))
        ;; A fall whose instant is pending is counted when that is finished.
        (if (local.get $status) (then (br_if $stop (i32.load offset=@PHASE@ (i32.const 0)))))
        (local.set $done (i64.add (local.get $done) (i64.const 1)))
        (i64.store offset=@DONE@ (i32.const 0) (i64.add (local.get $before) (local.get $done)))
        (br_if $next (i32.eqz (local.get $status)))))
    (local.get $status))

  ;; Cycles of a clock as `static_cycles` makes them, but from the first cycle on that changes nothing they are only
  ;; counted. One is looked for ever more seldom, so that a busy design pays nothing.
  (func $quick_cycles (param $clock i32) (param $row i32) (param $n i64) (result i32)
    (local $before i64) (local $chunk i64) (local $status i32)
    (if (i32.eqz (i32.const @QUIET@))
      (then (return (call $static_cycles (local.get $clock) (local.get $row) (local.get $n)))))
    (local.set $chunk (i64.const @LOOK_FIRST@))
    (block $stop
      (loop $next
        (local.set $before (i64.load offset=@DONE@ (i32.const 0)))
        (local.set $status
          (call $static_cycles (local.get $clock) (local.get $row)
            (select (local.get $chunk) (local.get $n) (i64.lt_u (local.get $chunk) (local.get $n)))))
        (br_if $stop (local.get $status))
        (local.set $n
          (i64.sub (local.get $n) (i64.sub (i64.load offset=@DONE@ (i32.const 0)) (local.get $before))))
        (br_if $stop (i64.eqz (local.get $n)))
        (if (i64.lt_u (local.get $chunk) (i64.const @LOOK_LEAST@))
          (then (local.set $chunk (i64.shl (local.get $chunk) (i64.const 1)))))
        (call $before_quiet)
        (local.set $status (call $static_cycles (local.get $clock) (local.get $row) (i64.const 1)))
        (br_if $stop (local.get $status))
        (local.set $n (i64.sub (local.get $n) (i64.const 1)))
        (br_if $stop (i64.eqz (local.get $n)))
        (br_if $next (i32.eqz (call $was_quiet)))
        (call $skip_cycles (local.get $row) (local.get $n))))
    (local.get $status))

  ;; Before a cycle that may turn out to change nothing.
  (func $before_quiet
    (memory.copy (i32.const @QUIET_COPY@) (i32.const @QUIET_BASE@) (i32.const @QUIET_BYTES@))
    (i32.store offset=@WROTE@ (i32.const 0) (i32.const 0))
    (i32.store offset=@QUIET_HEAD@ (i32.const 0) (i32.load offset=@EVENT_HEAD@ (i32.const 0))))

  ;; 1 when since then no state has changed, no memory was written, and no event happened.
  (func $was_quiet (result i32)
    (if (i32.load offset=@WROTE@ (i32.const 0)) (then (return (i32.const 0))))
    (if (i32.ne (i32.load offset=@QUIET_HEAD@ (i32.const 0)) (i32.load offset=@EVENT_HEAD@ (i32.const 0)))
      (then (return (i32.const 0))))
    (call $same (i32.const @QUIET_COPY@) (i32.const @QUIET_BASE@) (i32.const @QUIET_BYTES@)))

  ;; Counts cycles and lets their time pass.
  (func $skip_cycles (param $row i32) (param $n i64)
    (i64.store offset=32 (local.get $row) (i64.add (i64.load offset=32 (local.get $row)) (local.get $n)))
    (i64.store offset=@DONE@ (i32.const 0) (i64.add (i64.load offset=@DONE@ (i32.const 0)) (local.get $n)))
    (call $pass
      (i64.mul (local.get $n)
        (i64.add (i64.load offset=8 (local.get $row)) (i64.load offset=16 (local.get $row))))))

  ;; How many cycles surely find room for their events.
  (func $cycles_with_room (param $n i64) (result i64)
    (local $fit i64)
    (if (i32.eqz (i32.const @EVENTS@)) (then (return (local.get $n))))
    (local.set $fit
      (i64.extend_i32_u
        (i32.div_u
          (i32.sub (i32.const @EVENT_SIZE@)
            (i32.sub (i32.load offset=@EVENT_HEAD@ (i32.const 0)) (i32.load offset=@EVENT_TAIL@ (i32.const 0))))
          (i32.const @EVENT_RESERVE_TWICE@))))
    (select (local.get $fit) (local.get $n) (i64.lt_u (local.get $fit) (local.get $n))))

  ;; At most n cycles of a clock that is low, with no other edge pending, in the static model. Where events
  ;; may be written, time is kept and every half cycle may stop the call.
  (func $static_cycles (param $clock i32) (param $row i32) (param $n i64) (result i32)
    (local $left i64) (local $high i64) (local $low i64) (local $start i64) (local $rises i64) (local $status i32)
    (local $to_next i64) (local $released i32)
    (local.set $released (call $is_released (local.get $clock)))
    (local.set $n (call $cycles_with_room (local.get $n)))
    (if (i64.eqz (local.get $n)) (then (return (i32.const 4))))
    (local.set $left (local.get $n))
    (local.set $high (i64.load offset=8 (local.get $row)))
    (local.set $low (i64.load offset=16 (local.get $row)))
    (local.set $start (i64.load offset=@TIME@ (i32.const 0)))
    ;; From a rise to the next time at which an event may be written.
    (local.set $to_next
      (i64.add (local.get $high)
        (select (i64.const 0) (local.get $low) (i32.const @FALL_EVENTS@))))
    (block $stop
      (loop $next
        (if (local.get $released)
          (then (call $rise_released))
          (else (call $rise (local.get $clock))))
        (if (i32.const @RANDOM@) (then (call $draw)))
        (if (i32.const @EVENTS@)
          (then
            ;; Events at the end of an instant may show the clock itself.
            (if (i32.const @LAST@)
              (then
                (i32.store8 offset=40 (local.get $row) (i32.const 1))
                (call $last)))
            (local.set $status (i32.load offset=@PENDING@ (i32.const 0)))
            (if (local.get $status)
              (then
                (local.set $rises (i64.const 1))
                (i32.store8 offset=40 (local.get $row) (i32.const 1))
                (i32.store8 offset=41 (local.get $row) (i32.const 1))
                (br $stop)))
            (i64.store offset=@TIME@ (i32.const 0)
              (i64.add (i64.load offset=@TIME@ (i32.const 0)) (local.get $to_next)))))
        (if (i32.const @FALLS@) (then (call $fall (local.get $clock))))
        (if (i32.const @RANDOM@) (then (call $draw)))
        (local.set $left (i64.sub (local.get $left) (i64.const 1)))
        (if (i32.const @LAST@) (then (i32.store8 offset=40 (local.get $row) (i32.const 0))))
        (if (i32.const @FALL_EVENTS@)
          (then
            (if (i32.const @LAST@) (then (call $last)))
            (local.set $status (i32.load offset=@PENDING@ (i32.const 0)))
            (i64.store offset=@TIME@ (i32.const 0)
              (i64.add (i64.load offset=@TIME@ (i32.const 0)) (local.get $low)))
            (br_if $stop (local.get $status))))
        (br_if $next (i64.ne (local.get $left) (i64.const 0)))))
    (local.set $n (i64.sub (local.get $n) (local.get $left)))
    (i64.store offset=32 (local.get $row)
      (i64.add (i64.load offset=32 (local.get $row)) (i64.add (local.get $n) (local.get $rises))))
    (i64.store offset=@DONE@ (i32.const 0) (i64.add (i64.load offset=@DONE@ (i32.const 0)) (local.get $n)))
    (i64.store offset=@TIME@ (i32.const 0) (local.get $start))
    (call $pass
      (i64.add
        (i64.mul (local.get $n) (i64.add (local.get $high) (local.get $low)))
        (i64.mul (local.get $rises) (local.get $high))))
    (local.get $status))

  (func (export "rtl_step") (param $clock i32) (param $n i64) (result i32)
    (local $status i32) (local $cut i32)
    (if (i32.ge_u (local.get $clock) (i32.const @PRIMARY@)) (then (return (call $finish (i32.const 6)))))
    (if (i64.eqz (local.get $n)) (then (return (call $eval))))
    (local.set $cut (i32.load offset=@CUT@ (i32.const 0)))
    (local.set $status (call $enter))
    (if (i32.eqz (local.get $status))
      (then
        (local.set $status
          (call $cycles (local.get $clock)
            (i64.sub (local.get $n) (call $ended (local.get $clock) (local.get $cut)))))))
    (call $leave (local.get $status)))

  (func $edges (export "rtl_edges") (param $rise i64) (param $fall i64) (result i32)
    (local $i i32) (local $row i32) (local $bit i64) (local $status i32)
    (if (i64.ne (i64.and (local.get $rise) (local.get $fall)) (i64.const 0))
      (then (return (call $finish (i32.const 6)))))
    (if (i64.ne
          (i64.and (i64.or (local.get $rise) (local.get $fall)) (i64.xor (i64.const @EDGE_MASK@) (i64.const -1)))
          (i64.const 0))
      (then (return (call $finish (i32.const 6)))))
    ;; An instant left pending is finished first.
    (if (i32.load offset=@PHASE@ (i32.const 0))
      (then
        (local.set $status (call $take_in))
        (if (local.get $status) (then (return (call $leave (local.get $status)))))))
    (block $none
      (loop $next
        (br_if $none (i32.ge_u (local.get $i) (i32.const @TRIGGERS@)))
        (br_if $none (i32.ge_u (local.get $i) (i32.const 64)))
        (local.set $row (call $row (local.get $i)))
        (local.set $bit (i64.shl (i64.const 1) (i64.extend_i32_u (local.get $i))))
        (if (i64.ne (i64.and (local.get $rise) (local.get $bit)) (i64.const 0))
          (then (i32.store8 offset=40 (local.get $row) (i32.const 1))))
        (if (i64.ne (i64.and (local.get $fall) (local.get $bit)) (i64.const 0))
          (then (i32.store8 offset=40 (local.get $row) (i32.const 0))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next)))
    (call $eval))

  ;; Settles with the levels that registers have acted on.
  (func $settle_before (result i32)
    (local $status i32)
    (call $swap_primary)
    (local.set $status (call $settle))
    (call $swap_primary)
    (local.get $status))

  (func $swap_primary
    (local $i i32) (local $row i32) (local $level i32)
    (block $none
      (loop $next
        (br_if $none (i32.ge_u (local.get $i) (i32.const @PRIMARY@)))
        (local.set $row (call $row (local.get $i)))
        (local.set $level (i32.load8_u offset=40 (local.get $row)))
        (i32.store8 offset=40 (local.get $row) (i32.load8_u offset=41 (local.get $row)))
        (i32.store8 offset=41 (local.get $row) (local.get $level))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next))))

  ;; The earliest time at which a running clock flips; all ones when none runs.
  (func $earliest (result i64)
    (local $i i32) (local $row i32) (local $best i64)
    (local.set $best (i64.const -1))
    (block $none
      (loop $next
        (br_if $none (i32.ge_u (local.get $i) (i32.const @PRIMARY@)))
        (local.set $row (call $row (local.get $i)))
        (if (i32.load8_u offset=42 (local.get $row))
          (then
            (if (i64.lt_u (i64.load (local.get $row)) (local.get $best))
              (then (local.set $best (i64.load (local.get $row)))))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next)))
    (local.get $best))

  ;; Flips every running clock that is due.
  (func $flip_due
    (local $i i32) (local $row i32) (local $level i32)
    (block $none
      (loop $next
        (br_if $none (i32.ge_u (local.get $i) (i32.const @PRIMARY@)))
        (local.set $row (call $row (local.get $i)))
        (if (i32.load8_u offset=42 (local.get $row))
          (then
            (if (i64.le_u (i64.load (local.get $row)) (i64.load offset=@TIME@ (i32.const 0)))
              (then
                (local.set $level (i32.xor (i32.load8_u offset=40 (local.get $row)) (i32.const 1)))
                (i32.store8 offset=40 (local.get $row) (local.get $level))
                (i64.store (local.get $row)
                  (i64.add (i64.load (local.get $row)) (call $span (local.get $row) (local.get $level))))
                (if (i32.eqz (local.get $level))
                  (then
                    (i64.store offset=@DONE@ (i32.const 0)
                      (i64.add (i64.load offset=@DONE@ (i32.const 0)) (i64.const 1)))))))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next))))

  ;; How long a level lasts; never 0, for then time would not go on.
  (func $span (param $row i32) (param $level i32) (result i64)
    (local $span i64)
    (local.set $span
      (select (i64.load offset=8 (local.get $row)) (i64.load offset=16 (local.get $row)) (local.get $level)))
    (select (i64.const 1) (local.get $span) (i64.eqz (local.get $span))))

  (func $advance (export "rtl_advance") (param $until i64) (result i32)
    (local $status i32) (local $time i64)
    (if (i64.lt_u (local.get $until) (i64.load offset=@TIME@ (i32.const 0)))
      (then (return (call $finish (i32.const 6)))))
    (local.set $status (call $enter))
    (block $stop
      (br_if $stop (local.get $status))
      (loop $next
        (call $flip_due)
        (local.set $status (call $instant_and_stop (i32.const 0)))
        (br_if $stop (local.get $status))
        (local.set $time (call $earliest))
        ;; All ones: no clock runs.
        (if (i32.or
              (i64.gt_u (local.get $time) (local.get $until))
              (i64.eq (local.get $time) (i64.const -1)))
          (then
            ;; A half cycle that an earlier call has left pending may have ended later.
            (if (i64.lt_u (i64.load offset=@TIME@ (i32.const 0)) (local.get $until))
              (then (i64.store offset=@TIME@ (i32.const 0) (local.get $until))))
            (br $stop)))
        (if (i32.const @RINGS@)
          (then
            (if (i32.eqz (call $room))
              (then
                (local.set $status (i32.const 4))
                (br $stop)))))
        (if (call $can_cycle)
          (then
            (local.set $status (call $whole_cycles (local.get $until)))
            (br_if $stop (local.get $status))))
        (if (i64.gt_u (local.get $time) (i64.load offset=@TIME@ (i32.const 0)))
          (then (i64.store offset=@TIME@ (i32.const 0) (local.get $time))))
        (br $next)))
    (call $leave (local.get $status)))

  ;; 1 when all that time brings are cycles of the only clock, which is low.
  (func $can_cycle (result i32)
    (local $row i32)
    (if (i32.const @GENERAL@) (then (return (i32.const 0))))
    (if (i32.ne (i32.const @PRIMARY@) (i32.const 1)) (then (return (i32.const 0))))
    (if (i32.load offset=@WATCHING@ (i32.const 0)) (then (return (i32.const 0))))
    (local.set $row (call $row (i32.const 0)))
    (if (i32.or (i32.load8_u offset=40 (local.get $row)) (call $edge_pending (i32.const @TRIGGERS@)))
      (then (return (i32.const 0))))
    (i32.and
      (i64.ne (i64.load offset=8 (local.get $row)) (i64.const 0))
      (i64.ne (i64.load offset=16 (local.get $row)) (i64.const 0))))

  ;; The cycles of the only clock that end before that time.
  (func $whole_cycles (param $until i64) (result i32)
    (local $row i32) (local $n i64) (local $time i64) (local $done i64) (local $level i32) (local $status i32)
    (local.set $row (call $row (i32.const 0)))
    (local.set $n
      (i64.div_u
        (i64.sub (local.get $until) (i64.load (local.get $row)))
        (i64.add (i64.load offset=8 (local.get $row)) (i64.load offset=16 (local.get $row)))))
    (if (i64.eqz (local.get $n)) (then (return (i32.const 0))))
    (local.set $time (i64.load offset=@TIME@ (i32.const 0)))
    (local.set $done (i64.load offset=@DONE@ (i32.const 0)))
    (i64.store offset=@TIME@ (i32.const 0) (i64.load (local.get $row)))
    (local.set $status (call $quick_cycles (i32.const 0) (local.get $row) (local.get $n)))
    (if (local.get $status)
      (then
        ;; Time stands at the last flip, not at the next.
        (local.set $level (i32.load8_u offset=40 (local.get $row)))
        (i64.store offset=@TIME@ (i32.const 0)
          (select
            (local.get $time)
            (i64.sub
              (i64.load offset=@TIME@ (i32.const 0))
              (select
                (i64.load offset=8 (local.get $row)) (i64.load offset=16 (local.get $row)) (local.get $level)))
            (i32.and
              (i32.eqz (local.get $level))
              (i64.eq (i64.load offset=@DONE@ (i32.const 0)) (local.get $done)))))))
    (local.get $status))

  (func $run_until (export "rtl_run_until")
    (param $clock i32) (param $max i64) (param $offset i32) (param $mask i64) (param $value i64) (result i32)
    (local $status i32) (local $settled i32) (local $cut i32) (local $chunk i64) (local $look i64)
    (local $looks i32) (local $n i64)
    (local.set $chunk (i64.const @LOOK_FIRST@))
    (local.set $look (i64.const @LOOK_FIRST@))
    (if (i32.ge_u (local.get $clock) (i32.const @PRIMARY@)) (then (return (call $finish (i32.const 6)))))
    (if (i32.lt_u (local.get $offset) (i32.const @STATE_BASE@)) (then (return (call $finish (i32.const 6)))))
    (if (i32.gt_u (local.get $offset) (i32.const @STATE_LAST_WORD@)) (then (return (call $finish (i32.const 6)))))
    (local.set $cut (i32.load offset=@CUT@ (i32.const 0)))
    (local.set $status (call $take_in))
    (block $stop
      ;; A cycle that was cut ends before the condition is looked at.
      (if (i32.eqz (local.get $status))
        (then
          (if (i32.eq (local.get $cut) (i32.add (local.get $clock) (i32.const 1)))
            (then
              (local.set $status (call $cycles (local.get $clock) (i64.const 1)))
              (local.set $max (call $less (local.get $max) (i64.const 1))))
            (else
              (local.set $max
                (call $less (local.get $max) (call $ended (local.get $clock) (local.get $cut))))))))
      (loop $next
        (if (call $needs_settling (local.get $offset))
          (then
            (local.set $settled (call $publish))
            (if (local.get $settled) (then (local.set $status (local.get $settled))))))
        (br_if $stop (local.get $status))
        (br_if $stop
          (i64.eq (i64.and (i64.load (local.get $offset)) (local.get $mask)) (local.get $value)))
        ;; Where the last cycle has changed nothing, none will.
        (local.set $n (i64.const 1))
        (local.set $looks (call $can_look (local.get $clock) (local.get $offset)))
        (if (local.get $looks) (then (local.set $n (local.get $max))))
        (if (i32.and (i32.const @QUIET@) (i32.eqz (i32.load offset=@WATCHING@ (i32.const 0))))
          (then
            (if (i64.eqz (local.get $look))
              (then
                (if (call $was_quiet)
                  (then
                    (call $skip_cycles (call $row (local.get $clock)) (local.get $max))
                    (local.set $max (i64.const 0))))
                (if (i64.lt_u (local.get $chunk) (i64.const @LOOK_LEAST@))
                  (then (local.set $chunk (i64.shl (local.get $chunk) (i64.const 1)))))
                (local.set $look (local.get $chunk))))
            ;; A cycle that begins with a fall does not show what a rise does.
            (if (i32.eqz (i32.load8_u offset=40 (call $row (local.get $clock))))
              (then
                ;; The cycle before the next look runs alone.
                (if (i64.ge_u (local.get $n) (local.get $look))
                  (then
                    (local.set $n
                      (select (i64.const 1) (i64.sub (local.get $look) (i64.const 1))
                        (i64.eq (local.get $look) (i64.const 1))))))
                (local.set $look (i64.sub (local.get $look) (local.get $n)))
                (if (i64.eqz (local.get $look)) (then (call $before_quiet)))))))
        (if (i64.eqz (local.get $max))
          (then
            (local.set $status (i32.const 8))
            (br $stop)))
        (if (local.get $looks)
          (then
            (local.set $max
              (i64.sub (local.get $max)
                (call $static_until (local.get $clock) (local.get $n)
                  (local.get $offset) (local.get $mask) (local.get $value))))
            (br $next)))
        (local.set $max (i64.sub (local.get $max) (i64.const 1)))
        (local.set $status (call $cycles (local.get $clock) (i64.const 1)))
        (br $next)))
    ;; A condition on registers has left the outputs behind.
    (if (i32.or (i32.const @GENERAL@) (call $needs_settling (local.get $offset)))
      (then (return (call $finish (local.get $status)))))
    (call $leave (local.get $status)))

  ;; 1 when whole cycles can run with nothing between them but a look at a word: where the clock is low, nothing else
  ;; has to happen, and no event can.
  (func $can_look (param $clock i32) (param $offset i32) (result i32)
    (if (i32.or (i32.const @GENERAL@) (i32.or (i32.const @EVENTS@) (i32.const @RANDOM@))) (then (return (i32.const 0))))
    (if (i32.load offset=@WATCHING@ (i32.const 0)) (then (return (i32.const 0))))
    (if (call $needs_settling (local.get $offset)) (then (return (i32.const 0))))
    (if (i32.load8_u offset=40 (call $row (local.get $clock))) (then (return (i32.const 0))))
    (i32.eqz (call $edge_pending (i32.const @TRIGGERS@))))

  ;; At most n cycles, n > 0, of a clock that is low: until a word has a value. How many.
  (func $static_until
    (param $clock i32) (param $n i64) (param $offset i32) (param $mask i64) (param $value i64) (result i64)
    (local $row i32) (local $left i64)
    (local.set $row (call $row (local.get $clock)))
    (local.set $left (local.get $n))
    (block $stop
      (loop $next
        (call $rise (local.get $clock))
        (if (i32.const @FALLS@) (then (call $fall (local.get $clock))))
        (local.set $left (i64.sub (local.get $left) (i64.const 1)))
        (br_if $stop (i64.eq (i64.and (i64.load (local.get $offset)) (local.get $mask)) (local.get $value)))
        (br_if $next (i64.ne (local.get $left) (i64.const 0)))))
    (local.set $n (i64.sub (local.get $n) (local.get $left)))
    (call $skip_cycles (local.get $row) (local.get $n))
    (local.get $n))

  ;; 1 when a word may hold a value that settling publishes.
  (func $needs_settling (param $offset i32) (result i32)
    (if (i32.const @GENERAL@) (then (return (i32.const 0))))
    (if (i32.load offset=@WATCHING@ (i32.const 0)) (then (return (i32.const 0))))
    (if (i32.const @SETTLE_FIRST@) (then (return (i32.const 1))))
    (i32.and
      (i32.gt_u (i32.add (local.get $offset) (i32.const 8)) (i32.const @NETS_BASE@))
      (i32.lt_u (local.get $offset) (i32.const @NETS_END@))))

  ;; ---------------------------------------------------------------- signals by id

  ;; Address of a signal's row, 0 when there is no such signal.
  ;; Row: u32 width, limbs, rows, stride, first part, parts, flags, 0.
  (func $signal (param $id i32) (result i32)
    (if (i32.ge_u (local.get $id) (i32.const @SIGNALS@)) (then (return (i32.const 0))))
    (i32.add (i32.const @SIGNAL_BASE@) (i32.shl (local.get $id) (i32.const 5))))

  ;; 1 when the signal has that word.
  (func $has_word (param $signal i32) (param $word i32) (result i32)
    (if (i32.eqz (local.get $signal)) (then (return (i32.const 0))))
    (i64.lt_u
      (i64.extend_i32_u (local.get $word))
      (i64.mul
        (i64.extend_i32_u (i32.load offset=4 (local.get $signal)))
        (i64.extend_i32_u (i32.load offset=8 (local.get $signal))))))

  (func $load (param $at i32) (param $size i32) (result i64)
    (if (i32.eq (local.get $size) (i32.const 1)) (then (return (i64.load8_u (local.get $at)))))
    (if (i32.eq (local.get $size) (i32.const 2)) (then (return (i64.load16_u (local.get $at)))))
    (if (i32.eq (local.get $size) (i32.const 4)) (then (return (i64.load32_u (local.get $at)))))
    (i64.load (local.get $at)))

  (func $store (param $at i32) (param $size i32) (param $value i64)
    (if (i32.eq (local.get $size) (i32.const 1))
      (then (i64.store8 (local.get $at) (local.get $value)) (return)))
    (if (i32.eq (local.get $size) (i32.const 2))
      (then (i64.store16 (local.get $at) (local.get $value)) (return)))
    (if (i32.eq (local.get $size) (i32.const 4))
      (then (i64.store32 (local.get $at) (local.get $value)) (return)))
    (i64.store (local.get $at) (local.get $value)))

  (func $low_mask (param $width i32) (result i64)
    (select
      (i64.const -1)
      (i64.sub (i64.shl (i64.const 1) (i64.extend_i32_u (local.get $width))) (i64.const 1))
      (i32.ge_u (local.get $width) (i32.const 64))))

  ;; Reads or writes one word of a signal, or reads what lies so many bytes behind it. Part: u32 offset, u16 limb, u8 bit in the limb, u8 shift,
  ;; u8 width, u8 size, u16 0; a part lies within one limb.
  (func $access (param $signal i32) (param $word i32) (param $behind i32) (param $write i32) (param $mask i64) (param $value i64) (result i64)
    (local $part i32) (local $end i32) (local $limb i32) (local $row i32) (local $at i32)
    (local $size i32) (local $shift i64) (local $bit i64) (local $bits i64) (local $old i64) (local $result i64)
    (local.set $limb (i32.rem_u (local.get $word) (i32.load offset=4 (local.get $signal))))
    (local.set $row (i32.div_u (local.get $word) (i32.load offset=4 (local.get $signal))))
    (local.set $part
      (i32.add (i32.const @PART_BASE@) (i32.mul (i32.load offset=16 (local.get $signal)) (i32.const 12))))
    (local.set $end (i32.add (local.get $part) (i32.mul (i32.load offset=20 (local.get $signal)) (i32.const 12))))
    (block $none
      (loop $next
        (br_if $none (i32.ge_u (local.get $part) (local.get $end)))
        (if (i32.eq (i32.load16_u offset=4 (local.get $part)) (local.get $limb))
          (then
            (local.set $at
              (i32.add
                (i32.add (i32.load (local.get $part)) (local.get $behind))
                (i32.mul (local.get $row) (i32.load offset=12 (local.get $signal)))))
            (local.set $bit (i64.load8_u offset=6 (local.get $part)))
            (local.set $shift (i64.load8_u offset=7 (local.get $part)))
            (local.set $bits (call $low_mask (i32.load8_u offset=8 (local.get $part))))
            (local.set $size (i32.load8_u offset=9 (local.get $part)))
            (local.set $old (call $load (local.get $at) (local.get $size)))
            (if (local.get $write)
              (then
                (local.set $bits
                  (i64.shl
                    (i64.and (local.get $bits) (i64.shr_u (local.get $mask) (local.get $bit)))
                    (local.get $shift)))
                (call $store (local.get $at) (local.get $size)
                  (i64.or
                    (i64.and (local.get $old) (i64.xor (local.get $bits) (i64.const -1)))
                    (i64.and
                      (i64.shl (i64.shr_u (local.get $value) (local.get $bit)) (local.get $shift))
                      (local.get $bits)))))
              (else
                (local.set $result
                  (i64.or (local.get $result)
                    (i64.shl
                      (i64.and (i64.shr_u (local.get $old) (local.get $shift)) (local.get $bits))
                      (local.get $bit))))))))
        (local.set $part (i32.add (local.get $part) (i32.const 12)))
        (br $next)))
    (local.get $result))

  (func $peek (param $id i32) (param $word i32) (result i64)
    (local $signal i32)
    (local.set $signal (call $signal (local.get $id)))
    (if (i32.eqz (call $has_word (local.get $signal) (local.get $word)))
      (then
        (drop (call $finish (i32.const 6)))
        (return (i64.const 0))))
    (if (i32.and (i32.load offset=24 (local.get $signal)) (i32.const 2)) (then (call $refresh)))
    (drop (call $finish (i32.const 0)))
    (call $access
      (local.get $signal) (local.get $word) (i32.const 0) (i32.const 0) (i64.const 0) (i64.const 0)))

  ;; 0, or why a word cannot be written.
  (func $can_poke (param $id i32) (param $word i32) (result i32)
    (local $signal i32)
    (local.set $signal (call $signal (local.get $id)))
    (if (i32.eqz (call $has_word (local.get $signal) (local.get $word)))
      (then (return (i32.const 6))))
    (select (i32.const 0) (i32.const 9)
      (i32.and (i32.load offset=24 (local.get $signal)) (i32.const 1))))

  (func $poke (param $id i32) (param $word i32) (param $mask i64) (param $value i64) (result i32)
    (local $signal i32) (local $status i32)
    (local.set $status (call $can_poke (local.get $id) (local.get $word)))
    (if (local.get $status) (then (return (local.get $status))))
    (local.set $signal (call $signal (local.get $id)))
    (drop
      (call $access
        (local.get $signal) (local.get $word) (i32.const 0) (i32.const 1) (local.get $mask) (local.get $value)))
    (if (i32.eqz (i32.and (i32.load offset=24 (local.get $signal)) (i32.const 4)))
      (then
        ;; A script may do this in the middle of a call.
        (call $wake)
        (i32.store offset=@DIRTY@ (i32.const 0) (i32.const 1))))
    (i32.const 0))

  (func (export "rtl_peek") (param $id i32) (param $word i32) (result i64)
    (call $peek (local.get $id) (local.get $word)))

  (func (export "rtl_poke") (param $id i32) (param $word i32) (param $value i64) (result i32)
    (call $finish (call $poke (local.get $id) (local.get $word) (i64.const -1) (local.get $value))))

  (func (export "rtl_outline") (param $group i32) (result i32)
    (if (i32.ge_s (local.get $group) (i32.const @OUTLINES@)) (then (return (call $finish (i32.const 6)))))
    (if (i32.lt_s (local.get $group) (i32.const -1)) (then (return (call $finish (i32.const 6)))))
    (call $refresh)
    (call $finish (i32.const 0)))

  ;; Recomputes what is outlined; while edges are pending, with the levels of before them.
  (func $refresh
    (if (i32.load offset=@PHASE@ (i32.const 0)) (then (call $swap_primary)))
    (call $outline)
    (if (i32.load offset=@PHASE@ (i32.const 0)) (then (call $swap_primary))))

  ;; ---------------------------------------------------------------- play

  (func (export "rtl_play") (param $script i32) (param $len i32) (result i32)
    (local $at i32) (local $end i32) (local $status i32) (local $bytes i32)
    (if (i32.eqz (call $is_script (local.get $script) (local.get $len))) (then (return (call $finish (i32.const 6)))))
    (local.set $end (i32.add (local.get $script) (local.get $len)))
    (local.set $at (local.get $script))
    (block $stop
      (loop $next
        (i32.store offset=@PLAY_POS@ (i32.const 0)
          (i32.shr_u (i32.sub (local.get $at) (local.get $script)) (i32.const 5)))
        (br_if $stop (i32.ge_u (local.get $at) (local.get $end)))
        ;; Of a wait the condition is the record behind it.
        (local.set $bytes
          (select (i32.const 64) (i32.const 32) (i32.eq (i32.load (local.get $at)) (i32.const 8))))
        (local.set $status
          (if (result i32) (i32.gt_u (local.get $bytes) (i32.sub (local.get $end) (local.get $at)))
            (then (i32.const 6))
            (else (call $record (local.get $at)))))
        (i32.store offset=12 (local.get $at) (local.get $status))
        (if (i32.eq (local.get $status) (i32.const 7))
          (then (if (call $goes_on) (then (local.set $status (i32.const 0))))))
        (br_if $stop (local.get $status))
        (local.set $at (i32.add (local.get $at) (local.get $bytes)))
        (br $next)))
    (call $finish (local.get $status)))

  ;; 1 when records may lie there.
  (func $is_script (param $at i32) (param $len i32) (result i32)
    (i32.eqz
      (i32.or
        (i32.or
          (i32.and (local.get $at) (i32.const 7))
          (i32.and (local.get $len) (i32.const 31)))
        (i64.gt_u
          (i64.add (i64.extend_i32_u (local.get $at)) (i64.extend_i32_u (local.get $len)))
          (i64.const @MEMORY_BYTES@)))))

  (func $poke_record (param $at i32) (result i32)
    (call $poke
      (i32.load offset=4 (local.get $at)) (i32.load offset=8 (local.get $at))
      (i64.load offset=24 (local.get $at)) (i64.load offset=16 (local.get $at))))

  ;; One play record.
  (func $record (param $at i32) (result i32)
    (local $op i32) (local $status i32) (local $done i64) (local $n i64) (local $cut i32)
    (local.set $op (i32.load (local.get $at)))
    (if (i32.eq (local.get $op) (i32.const 1)) (then (return (call $poke_record (local.get $at)))))
    (if (i32.eq (local.get $op) (i32.const 2))
      (then
        (i64.store offset=16 (local.get $at)
          (call $peek (i32.load offset=4 (local.get $at)) (i32.load offset=8 (local.get $at))))
        (return (i32.load offset=@STATUS@ (i32.const 0)))))
    (if (i32.eq (local.get $op) (i32.const 3)) (then (return (call $eval))))
    (if (i32.eq (local.get $op) (i32.const 4))
      (then
        (if (i32.ge_u (i32.load offset=4 (local.get $at)) (i32.const @PRIMARY@)) (then (return (i32.const 6))))
        ;; mask counts the cycles of an earlier, stopped try.
        (local.set $done (i64.load offset=24 (local.get $at)))
        (local.set $n (i64.sub (i64.load offset=16 (local.get $at)) (local.get $done)))
        (if (i64.eqz (local.get $n)) (then (return (call $eval))))
        (local.set $cut (i32.load offset=@CUT@ (i32.const 0)))
        (local.set $status (call $enter))
        (if (i32.eqz (local.get $status))
          (then
            (local.set $n
              (i64.sub (local.get $n) (call $ended (i32.load offset=4 (local.get $at)) (local.get $cut))))
            (local.set $status (call $cycles (i32.load offset=4 (local.get $at)) (local.get $n)))))
        (local.set $done (i64.add (local.get $done) (i64.load offset=@DONE@ (i32.const 0))))
        (i64.store offset=24 (local.get $at)
          (select (i64.const 0) (local.get $done)
            (i64.eq (local.get $done) (i64.load offset=16 (local.get $at)))))
        (return (call $leave (local.get $status)))))
    (if (i32.eq (local.get $op) (i32.const 5))
      (then (return (call $edges (i64.load offset=16 (local.get $at)) (i64.load offset=24 (local.get $at))))))
    (if (i32.eq (local.get $op) (i32.const 6))
      (then (return (call $advance (i64.load offset=16 (local.get $at))))))
    (if (i32.eq (local.get $op) (i32.const 7))
      (then
        (local.set $n (call $peek (i32.load offset=4 (local.get $at)) (i32.load offset=8 (local.get $at))))
        (local.set $status (i32.load offset=@STATUS@ (i32.const 0)))
        (if (local.get $status) (then (return (local.get $status))))
        (return
          (select (i32.const 0) (i32.const 8)
            (i64.eq (i64.and (local.get $n) (i64.load offset=24 (local.get $at))) (i64.load offset=16 (local.get $at)))))))
    (if (i32.eq (local.get $op) (i32.const 8))
      (then
        ;; mask counts the cycles of an earlier, stopped try, too.
        (local.set $status
          (call $run_until (i32.load offset=4 (local.get $at))
            (i64.sub (i64.load offset=16 (local.get $at)) (i64.load offset=24 (local.get $at)))
            (i32.load offset=8 (local.get $at))
            (i64.load offset=56 (local.get $at)) (i64.load offset=48 (local.get $at))))
        (if (i32.ne (local.get $status) (i32.const 6))
          (then
            (i64.store offset=24 (local.get $at)
              (i64.add (i64.load offset=24 (local.get $at)) (i64.load offset=@DONE@ (i32.const 0))))))
        (return (local.get $status))))
    (i32.const 6))
