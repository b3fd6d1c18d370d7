  ;; ---------------------------------------------------------------- watches and staged pokes
  ;; What a call does only while the host has watches, staged pokes or the change trace: `watching` is not 0, every wave is followed by a
  ;; settling, and every settling by a look at the watches. The other loops never come here.

  ;; Start of a call: chooses its loop. A bad watch is 6, a bad staged poke 6 or 9; nothing runs then.
  (func $prepare (result i32)
    (local $status i32) (local $watches i32)
    (local.set $watches (i32.load offset=@WATCH_COUNT@ (i32.const 0)))
    (i32.store offset=@WATCHING@ (i32.const 0) (local.get $watches))
    (if (i32.const @TRACE@)
      (then
        (i32.store offset=@WATCHING@ (i32.const 0)
          (i32.or (local.get $watches) (i32.load offset=@TRACE_ON@ (i32.const 0))))))
    (if (i32.eqz (i32.or (local.get $watches) (i32.load offset=@STAGE_LEN@ (i32.const 0))))
      (then (return (i32.const 0))))
    (local.set $status (call $check_staged))
    (if (local.get $status) (then (return (local.get $status))))
    (local.set $status (call $arm))
    (if (local.get $status) (then (return (local.get $status))))
    ;; In phase 1 they wait for the wave.
    (if (i32.load offset=@PHASE@ (i32.const 0))
      (then (i32.store offset=@WATCHING@ (i32.const 0) (i32.const 1)))
      (else
        (if (i32.load offset=@STAGE_LEN@ (i32.const 0))
          (then
            (call $apply_staged)
            ;; What the host writes is no change.
            (return (call $arm))))))
    (i32.const 0))

  ;; Checks the watches, and notes for each what it compares with: the value of its word now, or the row of its trigger.
  (func $arm (result i32)
    (local $row i32) (local $end i32) (local $signal i32) (local $flags i32) (local $trigger i32)
    (local.set $end (i32.load offset=@WATCH_COUNT@ (i32.const 0)))
    (if (i32.gt_u (local.get $end) (i32.const @WATCH_MAX@)) (then (return (i32.const 6))))
    (local.set $row (i32.const @WATCH_BASE@))
    (local.set $end (i32.add (local.get $row) (i32.shl (local.get $end) (i32.const 5))))
    (block $none
      (loop $next
        (br_if $none (i32.ge_u (local.get $row) (local.get $end)))
        ;; The host's flags; and that a hit waits for the end of its instant, while that is pending.
        (local.set $flags
          (i32.and
            (i32.load16_u offset=10 (local.get $row))
            (select (i32.const 0x21f) (i32.const 31) (i32.load offset=@PHASE@ (i32.const 0)))))
        (if (i32.load offset=12 (local.get $row))
          (then
            (local.set $signal (call $signal (i32.load (local.get $row))))
            (if (i32.or
                  (i32.gt_u
                    (i32.sub (i32.load16_u offset=8 (local.get $row)) (i32.const 1))
                    (i32.const 4))
                  (i32.eqz (call $has_word (local.get $signal) (i32.load offset=4 (local.get $row)))))
              (then (return (i32.const 6))))
            (if (i32.and (i32.load offset=24 (local.get $signal)) (i32.const 2)) (then (return (i32.const 6))))
            (if (i32.lt_u (i32.load16_u offset=8 (local.get $row)) (i32.const 4))
              (then
                ;; A condition is about a value.
                (if (i32.and (local.get $flags) (i32.const 8)) (then (return (i32.const 6))))
                (local.set $trigger (call $trigger_of (local.get $signal)))
                (local.set $flags (i32.or (local.get $flags) (i32.shl (i32.ne (local.get $trigger) (i32.const 0)) (i32.const 10))))
                (i64.store offset=24 (local.get $row)
                  (if (result i64) (local.get $trigger)
                    (then (i64.extend_i32_u (local.get $trigger)))
                    (else (call $watched (local.get $row)))))))))
        (i32.store16 offset=10 (local.get $row) (local.get $flags))
        (local.set $row (i32.add (local.get $row) (i32.const 32)))
        (br $next)))
    (i32.const 0))

  ;; The row of the trigger whose level a signal is, 0 when it is none.
  (func $trigger_of (param $signal i32) (result i32)
    (local $at i32)
    (if (i32.ne (i32.load offset=20 (local.get $signal)) (i32.const 1)) (then (return (i32.const 0))))
    (local.set $at
      (i32.load
        (i32.add (i32.const @PART_BASE@) (i32.mul (i32.load offset=16 (local.get $signal)) (i32.const 12)))))
    (select (i32.sub (local.get $at) (i32.const 40)) (i32.const 0)
      (i32.lt_u (i32.sub (local.get $at) (i32.const @TRIGGER_BASE@)) (i32.const @TRIGGER_BYTES@))))

  ;; What a watch looks at now.
  (func $watched (param $row i32) (result i64)
    (i64.and
      (call $access
        (call $signal (i32.load (local.get $row))) (i32.load offset=4 (local.get $row))
        (i32.const 0) (i32.const 0) (i64.const 0) (i64.const 0))
      (i64.load offset=16 (local.get $row))))

  ;; Looks at the watches on words, after a settling, or at those on triggers, before a wave; 1 when the call is to
  ;; stop here.
  (func $look (param $triggers i32) (result i32)
    (local $row i32) (local $end i32) (local $kind i32) (local $now i64) (local $before i64) (local $moved i64)
    (local $stop i32)
    (local.set $row (i32.const @WATCH_BASE@))
    (local.set $end
      (i32.add (local.get $row) (i32.shl (i32.load offset=@WATCH_COUNT@ (i32.const 0)) (i32.const 5))))
    (block $none
      (loop $next
        (br_if $none (i32.ge_u (local.get $row) (local.get $end)))
        (if (i32.and
              (i32.ne (i32.load offset=12 (local.get $row)) (i32.const 0))
              (i32.eq
                (i32.and (i32.load16_u offset=10 (local.get $row)) (i32.const 0x408))
                (i32.shl (local.get $triggers) (i32.const 10))))
          (then
            (local.set $kind (i32.load16_u offset=8 (local.get $row)))
            (local.set $before (i64.load offset=24 (local.get $row)))
            (if (local.get $triggers)
              (then
                (local.set $now
                  (i64.and
                    (i64.load8_u offset=40 (i32.wrap_i64 (local.get $before)))
                    (i64.load offset=16 (local.get $row))))
                (local.set $before
                  (i64.and
                    (i64.load8_u offset=41 (i32.wrap_i64 (local.get $before)))
                    (i64.load offset=16 (local.get $row)))))
              (else
                (local.set $now (call $watched (local.get $row)))
                (if (i32.lt_u (local.get $kind) (i32.const 4))
                  (then (i64.store offset=24 (local.get $row) (local.get $now))))))
            (local.set $moved (i64.xor (local.get $now) (local.get $before)))
            (if (i32.eq (local.get $kind) (i32.const 2))
              (then (local.set $moved (i64.and (local.get $moved) (local.get $now)))))
            (if (i32.eq (local.get $kind) (i32.const 3))
              (then (local.set $moved (i64.and (local.get $moved) (local.get $before)))))
            (if (i32.ne (i64.eqz (local.get $moved)) (i32.ne (local.get $kind) (i32.const 4)))
              (then
                (if (call $holds (local.get $row))
                  (then (local.set $stop (i32.or (local.get $stop) (call $hit (local.get $row))))))))))
        (local.set $row (i32.add (local.get $row) (i32.const 32)))
        (br $next)))
    (local.get $stop))

  ;; Whether one of the conditions directly before a watch holds, or there is none.
  (func $holds (param $row i32) (result i32)
    (local $none i32)
    (local.set $none (i32.const 1))
    (block $all
      (loop $next
        (br_if $all (i32.eq (local.get $row) (i32.const @WATCH_BASE@)))
        (local.set $row (i32.sub (local.get $row) (i32.const 32)))
        (br_if $all (i32.eqz (i32.and (i32.load16_u offset=10 (local.get $row)) (i32.const 8))))
        (if (i32.load offset=12 (local.get $row))
          (then
            (local.set $none (i32.const 0))
            (if (i32.ne
                  (i64.eq (call $watched (local.get $row)) (i64.load offset=24 (local.get $row)))
                  (i32.eq (i32.load16_u offset=8 (local.get $row)) (i32.const 5)))
              (then (return (i32.const 1))))))
        (br $next)))
    (local.get $none))

  ;; A hit of a watch; 1 when it is the last one and the call is to stop here.
  (func $hit (param $row i32) (result i32)
    (local $left i32) (local $flags i32)
    (local.set $left (i32.sub (i32.load offset=12 (local.get $row)) (i32.const 1)))
    (local.set $flags (i32.load16_u offset=10 (local.get $row)))
    (i32.store offset=12 (local.get $row)
      (select (local.get $left) (i32.and (i32.shr_u (local.get $flags) (i32.const 2)) (i32.const 1)) (local.get $left)))
    (if (local.get $left) (then (return (i32.const 0))))
    (if (i32.and (local.get $flags) (i32.const 2))
      (then (memory.copy (i32.const @BEFORE_BASE@) (i32.const @STATE_BASE@) (i32.const @SCALARS_BYTES@))))
    (i32.store16 offset=10 (local.get $row)
      (i32.or
        (local.get $flags)
        (select (i32.const 512) (i32.const 256) (i32.and (local.get $flags) (i32.const 1)))))
    (i32.eqz (i32.and (local.get $flags) (i32.const 1))))

  ;; End of an instant: watches that have waited for it; 1 when there is one.
  (func $report (result i32)
    (local $row i32) (local $end i32) (local $flags i32) (local $stop i32)
    (local.set $row (i32.const @WATCH_BASE@))
    (local.set $end
      (i32.add (local.get $row) (i32.shl (i32.load offset=@WATCH_COUNT@ (i32.const 0)) (i32.const 5))))
    (block $none
      (loop $next
        (br_if $none (i32.ge_u (local.get $row) (local.get $end)))
        (local.set $flags (i32.load16_u offset=10 (local.get $row)))
        (if (i32.and (local.get $flags) (i32.const 512))
          (then
            (i32.store16 offset=10 (local.get $row) (i32.xor (local.get $flags) (i32.const 0x300)))
            (local.set $stop (i32.const 1))))
        (local.set $row (i32.add (local.get $row) (i32.const 32)))
        (br $next)))
    (local.get $stop))

  ;; Whether a script goes on where watches have stopped one of its records: all of them want it.
  (func $goes_on (result i32)
    (local $row i32) (local $end i32)
    (local.set $row (i32.const @WATCH_BASE@))
    (local.set $end
      (i32.add (local.get $row) (i32.shl (i32.load offset=@WATCH_COUNT@ (i32.const 0)) (i32.const 5))))
    (block $all
      (loop $next
        (br_if $all (i32.ge_u (local.get $row) (local.get $end)))
        (if (i32.eq
              (i32.and (i32.load16_u offset=10 (local.get $row)) (i32.const 0x110))
              (i32.const 256))
          (then (return (i32.const 0))))
        (local.set $row (i32.add (local.get $row) (i32.const 32)))
        (br $next)))
    (i32.const 1))

  ;; `instant` with watches and staged pokes. With `stop`, a watch has been hit by the settling before it.
  (func $watched_instant (param $stop i32) (result i32)
    (local $left i32) (local $status i32)
    (local.set $left (i32.const 1000))
    (loop $again
      (if (i32.eqz (local.get $left)) (then (return (i32.const 5))))
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (if (call $edge_pending (i32.const @TRIGGERS@))
        (then
          (if (i32.const @CARRY@) (then (call $carry)))
          ;; Of the edges that an earlier call stopped at, the watches know.
          (if (i32.eqz (i32.load offset=@TOLD@ (i32.const 0)))
            (then (local.set $stop (i32.or (local.get $stop) (call $look (i32.const 1))))))
          (i32.store offset=@TOLD@ (i32.const 0) (i32.const 1))
          (local.set $status (select (i32.const 7) (i32.const 0) (local.get $stop)))
          (if (i32.and (i32.const @RINGS@) (i32.eqz (local.get $stop)))
            (then (if (i32.eqz (call $room)) (then (local.set $status (i32.const 4))))))
          (i32.store offset=@PHASE@ (i32.const 0) (i32.ne (local.get $status) (i32.const 0)))
          (if (local.get $status) (then (return (local.get $status))))
          (i32.store offset=@TOLD@ (i32.const 0) (i32.const 0))
          (call $wave)
          (if (i32.const @RANDOM@)
            (then (if (call $edge_pending (i32.const @CLOCKS@)) (then (call $draw)))))
          (call $acted))
        (else
          (if (i32.eqz (i32.load offset=@STAGE_LEN@ (i32.const 0)))
            (then
              (i32.store offset=@PHASE@ (i32.const 0) (i32.const 0))
              (i32.store offset=@TOLD@ (i32.const 0) (i32.const 0))
              (if (i32.const @LAST@) (then (call $last)))
              (if (i32.const @TRACE@) (then (call $trace_changes)))
              ;; An event that stops gives the status.
              (if (i32.or (call $report) (local.get $stop))
                (then (return (select (i32.const 0) (i32.const 7) (call $pending)))))
              (return (i32.const 0))))))
      ;; They win over what the wave has stored.
      (if (i32.load offset=@STAGE_LEN@ (i32.const 0)) (then (call $apply_staged)))
      (local.set $status (call $settle_before))
      (if (local.get $status) (then (return (local.get $status))))
      (local.set $stop (i32.or (local.get $stop) (call $look (i32.const 0))))
      (br $again))
    (unreachable))

  ;; Answers every staged poke; the first that is not 0 is the call's.
  (func $check_staged (result i32)
    (local $at i32) (local $len i32) (local $end i32) (local $status i32)
    (local.set $at (i32.load offset=@STAGE_BASE@ (i32.const 0)))
    (local.set $len (i32.load offset=@STAGE_LEN@ (i32.const 0)))
    (if (i32.eqz (call $is_script (local.get $at) (local.get $len))) (then (return (i32.const 6))))
    (local.set $end (i32.add (local.get $at) (local.get $len)))
    (block $stop
      (loop $next
        (br_if $stop (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $status
          (if (result i32) (i32.eq (i32.load (local.get $at)) (i32.const 1))
            (then (call $can_poke (i32.load offset=4 (local.get $at)) (i32.load offset=8 (local.get $at))))
            (else (i32.const 6))))
        (i32.store offset=12 (local.get $at) (local.get $status))
        (br_if $stop (local.get $status))
        (local.set $at (i32.add (local.get $at) (i32.const 32)))
        (br $next)))
    (local.get $status))

  (func $apply_staged
    (local $at i32) (local $end i32)
    (local.set $at (i32.load offset=@STAGE_BASE@ (i32.const 0)))
    (local.set $end (i32.add (local.get $at) (i32.load offset=@STAGE_LEN@ (i32.const 0))))
    (i32.store offset=@STAGE_LEN@ (i32.const 0) (i32.const 0))
    (block $stop
      (loop $next
        (br_if $stop (i32.ge_u (local.get $at) (local.get $end)))
        (drop (call $poke_record (local.get $at)))
        (local.set $at (i32.add (local.get $at) (i32.const 32)))
        (br $next))))
