
  ;; ---------------------------------------------------------------- arithmetic
  ;; Two-state rules: a division by zero is zero, the quotient of the most negative value by -1 is itself.

  (func $div_u32 (export "gen_div_u32") (param $a i32) (param $b i32) (result i32)
    (if (i32.eqz (local.get $b)) (then (return (i32.const 0))))
    (i32.div_u (local.get $a) (local.get $b)))
  (func $rem_u32 (export "gen_rem_u32") (param $a i32) (param $b i32) (result i32)
    (if (i32.eqz (local.get $b)) (then (return (i32.const 0))))
    (i32.rem_u (local.get $a) (local.get $b)))
  (func $div_s32 (export "gen_div_s32") (param $a i32) (param $b i32) (result i32)
    (if (i32.eqz (local.get $b)) (then (return (i32.const 0))))
    (if (i32.eq (local.get $b) (i32.const -1)) (then (return (i32.sub (i32.const 0) (local.get $a)))))
    (i32.div_s (local.get $a) (local.get $b)))
  (func $rem_s32 (export "gen_rem_s32") (param $a i32) (param $b i32) (result i32)
    (if (i32.eqz (local.get $b)) (then (return (i32.const 0))))
    (i32.rem_s (local.get $a) (local.get $b)))
  (func $div_u64 (export "gen_div_u64") (param $a i64) (param $b i64) (result i64)
    (if (i64.eqz (local.get $b)) (then (return (i64.const 0))))
    (i64.div_u (local.get $a) (local.get $b)))
  (func $rem_u64 (export "gen_rem_u64") (param $a i64) (param $b i64) (result i64)
    (if (i64.eqz (local.get $b)) (then (return (i64.const 0))))
    (i64.rem_u (local.get $a) (local.get $b)))
  (func $div_s64 (export "gen_div_s64") (param $a i64) (param $b i64) (result i64)
    (if (i64.eqz (local.get $b)) (then (return (i64.const 0))))
    (if (i64.eq (local.get $b) (i64.const -1)) (then (return (i64.sub (i64.const 0) (local.get $a)))))
    (i64.div_s (local.get $a) (local.get $b)))
  (func $rem_s64 (export "gen_rem_s64") (param $a i64) (param $b i64) (result i64)
    (if (i64.eqz (local.get $b)) (then (return (i64.const 0))))
    (i64.rem_s (local.get $a) (local.get $b)))

  (func $pow64 (export "gen_pow64") (param $base i64) (param $exponent i64) (result i64)
    (local $result i64)
    (local.set $result (i64.const 1))
    (block $done
      (loop $next
        (br_if $done (i64.eqz (local.get $exponent)))
        (if (i32.wrap_i64 (i64.and (local.get $exponent) (i64.const 1)))
          (then (local.set $result (i64.mul (local.get $result) (local.get $base)))))
        (local.set $base (i64.mul (local.get $base) (local.get $base)))
        (local.set $exponent (i64.shr_u (local.get $exponent) (i64.const 1)))
        (br $next)))
    (local.get $result))

  ;; The random value number `key` of this wave.
  (func $random (export "gen_random") (param $key i64) (result i64)
    (local $z i64)
    (local.set $z (i64.add (i64.load offset=@PRNG@ (i32.const 0)) (local.get $key)))
    (local.set $z
      (i64.mul (i64.xor (local.get $z) (i64.shr_u (local.get $z) (i64.const 30))) (i64.const 0xbf58476d1ce4e5b9)))
    (local.set $z
      (i64.mul (i64.xor (local.get $z) (i64.shr_u (local.get $z) (i64.const 27))) (i64.const 0x94d049bb133111eb)))
    (i64.xor (local.get $z) (i64.shr_u (local.get $z) (i64.const 31))))

  ;; ---------------------------------------------------------------- values wider than 64 bits
  ;; Operands and results are arrays of n limbs in memory; `width` is in bits. Results do not overlap
  ;; operands unless said. The caller's `width` cuts the last limb.

  (func $cut (param $at i32) (param $width i32)
    (local $rest i32)
    (local.set $rest (i32.and (local.get $width) (i32.const 63)))
    (if (local.get $rest)
      (then
        (local.set $at (i32.add (local.get $at) (i32.shl (i32.shr_u (local.get $width) (i32.const 6)) (i32.const 3))))
        (i64.store (local.get $at) (i64.and (i64.load (local.get $at)) (call $low_mask (local.get $rest)))))))

  (func $limbs (param $width i32) (result i32)
    (i32.shr_u (i32.add (local.get $width) (i32.const 63)) (i32.const 6)))

  (func $bit (param $at i32) (param $index i32) (result i32)
    (i32.and
      (i32.shr_u
        (i32.load8_u (i32.add (local.get $at) (i32.shr_u (local.get $index) (i32.const 3))))
        (i32.and (local.get $index) (i32.const 7)))
      (i32.const 1)))

  ;; High half of a product.
  (func $mul_high (param $a i64) (param $b i64) (result i64)
    (local $a_low i64) (local $a_high i64) (local $b_low i64) (local $b_high i64) (local $mid i64) (local $low i64)
    (local.set $a_low (i64.and (local.get $a) (i64.const 0xffffffff)))
    (local.set $a_high (i64.shr_u (local.get $a) (i64.const 32)))
    (local.set $b_low (i64.and (local.get $b) (i64.const 0xffffffff)))
    (local.set $b_high (i64.shr_u (local.get $b) (i64.const 32)))
    (local.set $low (i64.shr_u (i64.mul (local.get $a_low) (local.get $b_low)) (i64.const 32)))
    (local.set $mid (i64.add (i64.mul (local.get $a_high) (local.get $b_low)) (local.get $low)))
    (local.set $low (i64.add
      (i64.mul (local.get $a_low) (local.get $b_high))
      (i64.and (local.get $mid) (i64.const 0xffffffff))))
    (i64.add
      (i64.add (i64.mul (local.get $a_high) (local.get $b_high)) (i64.shr_u (local.get $mid) (i64.const 32)))
      (i64.shr_u (local.get $low) (i64.const 32))))

  (func $wide_mul (export "gen_wide_mul") (param $dst i32) (param $a i32) (param $b i32) (param $width i32)
    (local $bytes i32) (local $i i32) (local $j i32) (local $x i64) (local $y i64) (local $low i64)
    (local $carry i64) (local $at i32) (local $sum i64)
    (local.set $bytes (i32.shl (call $limbs (local.get $width)) (i32.const 3)))
    (memory.fill (local.get $dst) (i32.const 0) (local.get $bytes))
    (loop $rows
      (local.set $x (i64.load (i32.add (local.get $a) (local.get $i))))
      (local.set $carry (i64.const 0))
      (local.set $j (i32.const 0))
      (if (i64.ne (local.get $x) (i64.const 0))
        (then
          (loop $columns
            (local.set $at (i32.add (local.get $dst) (i32.add (local.get $i) (local.get $j))))
            (local.set $y (i64.load (i32.add (local.get $b) (local.get $j))))
            (local.set $low (i64.mul (local.get $x) (local.get $y)))
            (local.set $sum (i64.add (i64.load (local.get $at)) (local.get $low)))
            (local.set $y (i64.add
              (call $mul_high (local.get $x) (local.get $y))
              (i64.extend_i32_u (i64.lt_u (local.get $sum) (local.get $low)))))
            (local.set $sum (i64.add (local.get $sum) (local.get $carry)))
            (local.set $carry (i64.add (local.get $y)
              (i64.extend_i32_u (i64.lt_u (local.get $sum) (local.get $carry)))))
            (i64.store (local.get $at) (local.get $sum))
            (local.set $j (i32.add (local.get $j) (i32.const 8)))
            (br_if $columns (i32.lt_u (i32.add (local.get $i) (local.get $j)) (local.get $bytes))))))
      (local.set $i (i32.add (local.get $i) (i32.const 8)))
      (br_if $rows (i32.lt_u (local.get $i) (local.get $bytes))))
    (call $cut (local.get $dst) (local.get $width)))

  ;; Two's complement in place.
  (func $wide_negate (param $at i32) (param $width i32)
    (local $i i32) (local $bytes i32) (local $carry i64) (local $x i64)
    (local.set $bytes (i32.shl (call $limbs (local.get $width)) (i32.const 3)))
    (local.set $carry (i64.const 1))
    (loop $next
      (local.set $x (i64.add
        (i64.xor (i64.load (i32.add (local.get $at) (local.get $i))) (i64.const -1))
        (local.get $carry)))
      (local.set $carry (i64.and (local.get $carry) (i64.extend_i32_u (i64.eqz (local.get $x)))))
      (i64.store (i32.add (local.get $at) (local.get $i)) (local.get $x))
      (local.set $i (i32.add (local.get $i) (i32.const 8)))
      (br_if $next (i32.lt_u (local.get $i) (local.get $bytes))))
    (call $cut (local.get $at) (local.get $width)))

  ;; 1 when every limb is zero.
  (func $wide_is_zero (param $at i32) (param $bytes i32) (result i32)
    (local $all i64)
    (loop $next
      (local.set $bytes (i32.sub (local.get $bytes) (i32.const 8)))
      (local.set $all (i64.or (local.get $all) (i64.load (i32.add (local.get $at) (local.get $bytes)))))
      (br_if $next (local.get $bytes)))
    (i64.eqz (local.get $all)))

  ;; 1 when a is less than b, unsigned.
  (func $wide_less (param $a i32) (param $b i32) (param $bytes i32) (result i32)
    (local $x i64) (local $y i64)
    (loop $next
      (local.set $bytes (i32.sub (local.get $bytes) (i32.const 8)))
      (local.set $x (i64.load (i32.add (local.get $a) (local.get $bytes))))
      (local.set $y (i64.load (i32.add (local.get $b) (local.get $bytes))))
      (if (i64.ne (local.get $x) (local.get $y)) (then (return (i64.lt_u (local.get $x) (local.get $y)))))
      (br_if $next (local.get $bytes)))
    (i32.const 0))

  ;; Remainder twice itself plus a bit, in place; the bit that falls out.
  (func $wide_double (param $at i32) (param $bytes i32) (param $bit i32) (result i32)
    (local $i i32) (local $carry i64) (local $x i64)
    (local.set $carry (i64.extend_i32_u (local.get $bit)))
    (loop $next
      (local.set $x (i64.load (i32.add (local.get $at) (local.get $i))))
      (i64.store (i32.add (local.get $at) (local.get $i))
        (i64.or (i64.shl (local.get $x) (i64.const 1)) (local.get $carry)))
      (local.set $carry (i64.shr_u (local.get $x) (i64.const 63)))
      (local.set $i (i32.add (local.get $i) (i32.const 8)))
      (br_if $next (i32.lt_u (local.get $i) (local.get $bytes))))
    (i32.wrap_i64 (local.get $carry)))

  ;; a -= b.
  (func $wide_subtract (param $a i32) (param $b i32) (param $bytes i32)
    (local $i i32) (local $borrow i64) (local $x i64) (local $y i64) (local $d i64)
    (loop $next
      (local.set $x (i64.load (i32.add (local.get $a) (local.get $i))))
      (local.set $y (i64.load (i32.add (local.get $b) (local.get $i))))
      (local.set $d (i64.sub (local.get $x) (local.get $y)))
      (i64.store (i32.add (local.get $a) (local.get $i)) (i64.sub (local.get $d) (local.get $borrow)))
      (local.set $borrow (i64.extend_i32_u
        (i32.or (i64.lt_u (local.get $x) (local.get $y)) (i64.lt_u (local.get $d) (local.get $borrow)))))
      (local.set $i (i32.add (local.get $i) (i32.const 8)))
      (br_if $next (i32.lt_u (local.get $i) (local.get $bytes)))))

  ;; Unsigned quotient and remainder; both zero when b is zero. quot and rem are distinct from a and b.
  (func $wide_div_rem (param $quot i32) (param $rem i32) (param $a i32) (param $b i32) (param $width i32)
    (local $bytes i32) (local $i i32) (local $over i32) (local $byte i32)
    (local.set $bytes (i32.shl (call $limbs (local.get $width)) (i32.const 3)))
    (memory.fill (local.get $quot) (i32.const 0) (local.get $bytes))
    (memory.fill (local.get $rem) (i32.const 0) (local.get $bytes))
    (if (call $wide_is_zero (local.get $b) (local.get $bytes)) (then (return)))
    (local.set $i (local.get $width))
    (loop $next
      (local.set $i (i32.sub (local.get $i) (i32.const 1)))
      (local.set $over
        (call $wide_double (local.get $rem) (local.get $bytes) (call $bit (local.get $a) (local.get $i))))
      (if (i32.or (local.get $over) (i32.eqz (call $wide_less (local.get $rem) (local.get $b) (local.get $bytes))))
        (then
          (call $wide_subtract (local.get $rem) (local.get $b) (local.get $bytes))
          (local.set $byte (i32.add (local.get $quot) (i32.shr_u (local.get $i) (i32.const 3))))
          (i32.store8 (local.get $byte)
            (i32.or (i32.load8_u (local.get $byte))
              (i32.shl (i32.const 1) (i32.and (local.get $i) (i32.const 7)))))))
      (br_if $next (local.get $i))))

  (func $wide_div_u (export "gen_wide_div_u") (param $dst i32) (param $a i32) (param $b i32) (param $width i32)
    (call $wide_div_rem (local.get $dst) (i32.const @WIDE_1@) (local.get $a) (local.get $b) (local.get $width)))
  (func $wide_rem_u (export "gen_wide_rem_u") (param $dst i32) (param $a i32) (param $b i32) (param $width i32)
    (call $wide_div_rem (i32.const @WIDE_1@) (local.get $dst) (local.get $a) (local.get $b) (local.get $width)))

  ;; |x| in `to`.
  (func $wide_abs (param $to i32) (param $x i32) (param $width i32)
    (memory.copy (local.get $to) (local.get $x) (i32.shl (call $limbs (local.get $width)) (i32.const 3)))
    (if (call $bit (local.get $x) (i32.sub (local.get $width) (i32.const 1)))
      (then (call $wide_negate (local.get $to) (local.get $width)))))

  (func $wide_div_s (export "gen_wide_div_s") (param $dst i32) (param $a i32) (param $b i32) (param $width i32)
    (local $sign i32)
    (local.set $sign (i32.sub (local.get $width) (i32.const 1)))
    (call $wide_abs (i32.const @WIDE_2@) (local.get $a) (local.get $width))
    (call $wide_abs (i32.const @WIDE_3@) (local.get $b) (local.get $width))
    (call $wide_div_rem (local.get $dst) (i32.const @WIDE_1@) (i32.const @WIDE_2@) (i32.const @WIDE_3@) (local.get $width))
    (if (i32.xor (call $bit (local.get $a) (local.get $sign)) (call $bit (local.get $b) (local.get $sign)))
      (then (call $wide_negate (local.get $dst) (local.get $width)))))

  (func $wide_rem_s (export "gen_wide_rem_s") (param $dst i32) (param $a i32) (param $b i32) (param $width i32)
    (call $wide_abs (i32.const @WIDE_2@) (local.get $a) (local.get $width))
    (call $wide_abs (i32.const @WIDE_3@) (local.get $b) (local.get $width))
    (call $wide_div_rem (i32.const @WIDE_1@) (local.get $dst) (i32.const @WIDE_2@) (i32.const @WIDE_3@) (local.get $width))
    (if (call $bit (local.get $a) (i32.sub (local.get $width) (i32.const 1)))
      (then (call $wide_negate (local.get $dst) (local.get $width)))))

  (func $wide_pow (export "gen_wide_pow") (param $dst i32) (param $a i32) (param $b i32) (param $width i32)
    (local $bytes i32) (local $i i32)
    (local.set $bytes (i32.shl (call $limbs (local.get $width)) (i32.const 3)))
    (memory.fill (local.get $dst) (i32.const 0) (local.get $bytes))
    (i64.store (local.get $dst) (i64.const 1))
    (memory.copy (i32.const @WIDE_1@) (local.get $a) (local.get $bytes))
    (loop $next
      (if (call $bit (local.get $b) (local.get $i))
        (then
          (call $wide_mul (i32.const @WIDE_2@) (local.get $dst) (i32.const @WIDE_1@) (local.get $width))
          (memory.copy (local.get $dst) (i32.const @WIDE_2@) (local.get $bytes))))
      (call $wide_mul (i32.const @WIDE_2@) (i32.const @WIDE_1@) (i32.const @WIDE_1@) (local.get $width))
      (memory.copy (i32.const @WIDE_1@) (i32.const @WIDE_2@) (local.get $bytes))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (local.get $width)))))

  ;; Limb `index` of an array, `beyond` above its end.
  (func $limb_or (param $at i32) (param $index i32) (param $count i32) (param $beyond i64) (result i64)
    (if (i32.ge_u (local.get $index) (local.get $count)) (then (return (local.get $beyond))))
    (i64.load (i32.add (local.get $at) (i32.shl (local.get $index) (i32.const 3)))))

  ;; Bits shift .. shift + 64 of the two limbs.
  (func $funnel (param $low i64) (param $high i64) (param $shift i64) (result i64)
    (if (i64.eqz (local.get $shift)) (then (return (local.get $low))))
    (i64.or
      (i64.shr_u (local.get $low) (local.get $shift))
      (i64.shl (local.get $high) (i64.sub (i64.const 64) (local.get $shift)))))

  ;; The lowest `results` limbs.
  (func $wide_shr (param $dst i32) (param $a i32) (param $amount i64) (param $width i32) (param $beyond i64) (param $results i32)
    (local $count i32) (local $i i32) (local $skip i32)
    (local.set $count (call $limbs (local.get $width)))
    (if (i64.gt_u (local.get $amount) (i64.extend_i32_u (local.get $width)))
      (then (local.set $amount (i64.extend_i32_u (local.get $width)))))
    (local.set $skip (i32.wrap_i64 (i64.shr_u (local.get $amount) (i64.const 6))))
    (loop $next
      (i64.store (i32.add (local.get $dst) (i32.shl (local.get $i) (i32.const 3)))
        (call $funnel
          (call $limb_or (local.get $a) (i32.add (local.get $i) (local.get $skip)) (local.get $count) (local.get $beyond))
          (call $limb_or (local.get $a)
            (i32.add (i32.add (local.get $i) (local.get $skip)) (i32.const 1)) (local.get $count) (local.get $beyond))
          (i64.and (local.get $amount) (i64.const 63))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (local.get $results))))
    (if (i32.eq (local.get $results) (local.get $count))
      (then (call $cut (local.get $dst) (local.get $width)))))

  (func $wide_shr_u (export "gen_wide_shr_u")
    (param $dst i32) (param $a i32) (param $amount i64) (param $width i32) (param $results i32)
    (call $wide_shr
      (local.get $dst) (local.get $a) (local.get $amount) (local.get $width) (i64.const 0) (local.get $results)))

  (func $wide_shr_s (export "gen_wide_shr_s") (param $dst i32) (param $a i32) (param $amount i64) (param $width i32)
    (local $top i32)
    (if (i32.eqz (call $bit (local.get $a) (i32.sub (local.get $width) (i32.const 1))))
      (then
        (call $wide_shr (local.get $dst) (local.get $a) (local.get $amount) (local.get $width) (i64.const 0)
          (call $limbs (local.get $width)))
        (return)))
    ;; The sign fills the last limb of a copy.
    (memory.copy (i32.const @WIDE_1@) (local.get $a) (i32.shl (call $limbs (local.get $width)) (i32.const 3)))
    (local.set $top (i32.and (local.get $width) (i32.const 63)))
    (if (local.get $top)
      (then
        (local.set $top (i32.add (i32.const @WIDE_1@) (i32.shl (i32.shr_u (local.get $width) (i32.const 6)) (i32.const 3))))
        (i64.store (local.get $top)
          (i64.or (i64.load (local.get $top))
            (i64.shl (i64.const -1) (i64.extend_i32_u (i32.and (local.get $width) (i32.const 63))))))))
    (call $wide_shr (local.get $dst) (i32.const @WIDE_1@) (local.get $amount) (local.get $width) (i64.const -1)
      (call $limbs (local.get $width))))

  (func $wide_shl (export "gen_wide_shl") (param $dst i32) (param $a i32) (param $amount i64) (param $width i32)
    (local $to i32) (local $from i32) (local $end i32) (local $shift i64) (local $low i64) (local $high i64)
    (if (i64.gt_u (local.get $amount) (i64.extend_i32_u (local.get $width)))
      (then (local.set $amount (i64.extend_i32_u (local.get $width)))))
    (local.set $shift (i64.and (local.get $amount) (i64.const 63)))
    (local.set $to (local.get $dst))
    ;; Limbs below the lowest one that gets bits.
    (local.set $end
      (i32.add (local.get $dst)
        (i32.shl (i32.wrap_i64 (i64.shr_u (local.get $amount) (i64.const 6))) (i32.const 3))))
    (block $zeroed
      (loop $next
        (br_if $zeroed (i32.ge_u (local.get $to) (local.get $end)))
        (i64.store (local.get $to) (i64.const 0))
        (local.set $to (i32.add (local.get $to) (i32.const 8)))
        (br $next)))
    (local.set $from (local.get $a))
    (local.set $end (i32.add (local.get $dst) (i32.shl (call $limbs (local.get $width)) (i32.const 3))))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $to) (local.get $end)))
        (local.set $high (i64.load (local.get $from)))
        (i64.store (local.get $to)
          (select
            (local.get $high)
            (i64.or
              (i64.shl (local.get $high) (local.get $shift))
              (i64.shr_u (local.get $low) (i64.sub (i64.const 64) (local.get $shift))))
            (i64.eqz (local.get $shift))))
        (local.set $low (local.get $high))
        (local.set $from (i32.add (local.get $from) (i32.const 8)))
        (local.set $to (i32.add (local.get $to) (i32.const 8)))
        (br $next)))
    (call $cut (local.get $dst) (local.get $width)))
)
