
  ;; ---------------------------------------------------------------- change trace
  ;; Only in artifacts built with it, and only while the host has it on. At the end of every instant the scalars are
  ;; compared with a copy of what they were, eight bytes at a time; the words that lie where something differs, and
  ;; differ themselves, are told. Rows of memories are told when they are written.

  (func $trace_room (result i32)
    (i32.le_u
      (i32.add
        (i32.sub (i32.load offset=@TRACE_HEAD@ (i32.const 0)) (i32.load offset=@TRACE_TAIL@ (i32.const 0)))
        (i32.const @TRACE_RESERVE@))
      (i32.const @TRACE_SIZE@)))

  ;; Start of a call for which there is room. The first with the trace on tells all words; 1 when this one has.
  (func $trace_all (result i32)
    (local $entry i32)
    (if (i32.eqz (i32.load offset=@TRACE_ON@ (i32.const 0)))
      (then
        (i32.store offset=@TRACED@ (i32.const 0) (i32.const 0))
        (return (i32.const 0))))
    (if (i32.load offset=@TRACED@ (i32.const 0)) (then (return (i32.const 0))))
    (i32.store offset=@TRACED@ (i32.const 0) (i32.const 1))
    (i64.store offset=@TRACE_TIME@ (i32.const 0)
      (i64.xor (i64.load offset=@TIME@ (i32.const 0)) (i64.const -1)))
    (call $keep_traced)
    (block $none
      (loop $next
        (br_if $none (i32.ge_u (local.get $entry) (i32.const @TRACE_ENTRIES@)))
        (call $tell_entry (local.get $entry))
        (local.set $entry (i32.add (local.get $entry) (i32.const 1)))
        (br $next)))
    (i32.const 1))

  (func $keep_traced
    (memory.copy (i32.const @TRACE_COPY@) (i32.const @STATE_BASE@) (i32.const @SCALARS_BYTES@)))

  ;; End of an instant.
  (func $trace_changes
    (local $at i32)
    (if (i32.eqz (i32.load offset=@TRACE_ON@ (i32.const 0))) (then (return)))
    (block $none
      (loop $next
        (br_if $none (i32.ge_u (local.get $at) (i32.const @SCALARS_BYTES@)))
        (if (i64.ne (i64.load offset=@STATE_BASE@ (local.get $at)) (i64.load offset=@TRACE_COPY@ (local.get $at)))
          (then (call $trace_block (local.get $at))))
        (local.set $at (i32.add (local.get $at) (i32.const 8)))
        (br $next)))
    (call $keep_traced))

  ;; Tells the words that have changed among those that have bits in these eight bytes of the scalars.
  (func $trace_block (param $at i32)
    (local $entry i32) (local $end i32)
    (local.set $at (i32.shr_u (local.get $at) (i32.const 1)))
    (local.set $entry (i32.load offset=@TRACE_INDEX@ (local.get $at)))
    (local.set $end (i32.load offset=@TRACE_INDEX_NEXT@ (local.get $at)))
    (block $none
      (loop $next
        (br_if $none (i32.ge_u (local.get $entry) (local.get $end)))
        (if (i64.ne
              (call $traced_word (local.get $entry) (i32.const 0))
              (call $traced_word (local.get $entry) (i32.const @TRACE_DELTA@)))
          (then (call $tell_entry (local.get $entry))))
        (local.set $entry (i32.add (local.get $entry) (i32.const 1)))
        (br $next))))

  ;; The word of an entry: now, or, that far behind it, in the copy. Entry: u32 id, u32 word.
  (func $traced_word (param $entry i32) (param $behind i32) (result i64)
    (local.set $entry (i32.shl (local.get $entry) (i32.const 3)))
    (call $access
      (call $signal (i32.load offset=@TRACE_TABLE@ (local.get $entry)))
      (i32.load offset=@TRACE_TABLE_WORD@ (local.get $entry))
      (local.get $behind) (i32.const 0) (i64.const 0) (i64.const 0)))

  (func $tell_entry (param $entry i32)
    (local $at i32)
    (local.set $at (i32.shl (local.get $entry) (i32.const 3)))
    (call $tell
      (i32.load offset=@TRACE_TABLE@ (local.get $at))
      (i32.load offset=@TRACE_TABLE_WORD@ (local.get $at))
      (call $traced_word (local.get $entry) (i32.const 0))))

  ;; A record, after one for the time where that is another than before.
  (func $tell (param $id i32) (param $word i32) (param $value i64)
    (if (i64.ne (i64.load offset=@TIME@ (i32.const 0)) (i64.load offset=@TRACE_TIME@ (i32.const 0)))
      (then
        (i64.store offset=@TRACE_TIME@ (i32.const 0) (i64.load offset=@TIME@ (i32.const 0)))
        (call $trace_record (i32.const -1) (i32.const 0) (i64.load offset=@TIME@ (i32.const 0)))))
    (call $trace_record (local.get $id) (local.get $word) (local.get $value)))

  ;; There is room: whoever began this wave has asked.
  (func $trace_record (param $id i32) (param $word i32) (param $value i64)
    (local $head i32) (local $place i32)
    (local.set $head (i32.load offset=@TRACE_HEAD@ (i32.const 0)))
    (local.set $place (i32.and (local.get $head) (i32.const @TRACE_LAST@)))
    (i32.store offset=@TRACE_BASE@ (local.get $place) (local.get $id))
    (i32.store offset=@TRACE_BASE_WORD@ (local.get $place) (local.get $word))
    (i64.store offset=@TRACE_BASE_VALUE@ (local.get $place) (local.get $value))
    (i32.store offset=@TRACE_HEAD@ (i32.const 0) (i32.add (local.get $head) (i32.const 16))))

  ;; The row of a memory at that address has been written.
  (func $traced (export "gen_traced") (param $at i32)
    (local $entry i32) (local $end i32) (local $signal i32) (local $limbs i32) (local $word i32) (local $last i32)
    (if (i32.eqz (i32.load offset=@TRACE_ON@ (i32.const 0))) (then (return)))
    ;; Row: u32 id, first address, bytes, 0.
    (local.set $entry (i32.const @TRACE_MEMORIES@))
    (local.set $end (i32.const @TRACE_MEMORIES_END@))
    (block $none
      (loop $next
        (br_if $none (i32.ge_u (local.get $entry) (local.get $end)))
        (if (i32.lt_u
              (i32.sub (local.get $at) (i32.load offset=4 (local.get $entry)))
              (i32.load offset=8 (local.get $entry)))
          (then
            (local.set $signal (call $signal (i32.load (local.get $entry))))
            (local.set $limbs (i32.load offset=4 (local.get $signal)))
            (local.set $word
              (i32.mul
                (i32.div_u
                  (i32.sub (local.get $at) (i32.load offset=4 (local.get $entry)))
                  (i32.load offset=12 (local.get $signal)))
                (local.get $limbs)))
            (local.set $last (i32.add (local.get $word) (local.get $limbs)))
            (loop $limb
              (call $tell (i32.load (local.get $entry)) (local.get $word)
                (call $access (local.get $signal) (local.get $word)
                  (i32.const 0) (i32.const 0) (i64.const 0) (i64.const 0)))
              (local.set $word (i32.add (local.get $word) (i32.const 1)))
              (br_if $limb (i32.lt_u (local.get $word) (local.get $last))))
            (return)))
        (local.set $entry (i32.add (local.get $entry) (i32.const 16)))
        (br $next))))
