;; The Mandelbrot set as text, computed by WebAssembly: x from -2 to 1, y from -1 to 1, `*` inside. What Python programs
;; usually call a module for; the table in docs/python.md has it beside the core that is simulated.
(module
  (memory (export "memory") 4)

  ;; 1 when a point is left before so many iterations.
  (func $is_outside (param $cx f32) (param $cy f32) (param $limit i32) (result i32)
    (local $x f32) (local $y f32) (local $xx f32) (local $yy f32) (local $i i32)
    (local.set $x (local.get $cx))
    (local.set $y (local.get $cy))
    (local.set $i (i32.const 1))
    (loop $next
      (local.set $xx (f32.mul (local.get $x) (local.get $x)))
      (local.set $yy (f32.mul (local.get $y) (local.get $y)))
      (if (i32.ge_s (local.get $i) (local.get $limit)) (then (return (i32.const 0))))
      (if (f32.ge (f32.add (local.get $xx) (local.get $yy)) (f32.const 4)) (then (return (i32.const 1))))
      (local.set $y
        (f32.add
          (f32.mul (f32.mul (local.get $x) (local.get $y)) (f32.const 2))
          (local.get $cy)))
      (local.set $x (f32.add (f32.sub (local.get $xx) (local.get $yy)) (local.get $cx)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $next))
    (unreachable))

  ;; Where column or row i of `of` lies on an axis that is `span` long and begins at `from`.
  (func $place (param $i i32) (param $of i32) (param $span f32) (param $from f32) (result f32)
    (f32.add
      (local.get $from)
      (f32.mul
        (f32.convert_i32_s (local.get $i))
        (f32.div (local.get $span) (f32.convert_i32_s (local.get $of))))))

  ;; Writes the picture to memory, with a zero byte behind it, and answers where it is.
  (func (export "mandel") (param $columns i32) (param $rows i32) (param $limit i32) (result i32)
    (local $column i32) (local $row i32) (local $at i32)
    (loop $next_row
      (local.set $column (i32.const 0))
      (loop $next_column
        (i32.store8 (local.get $at)
          (select
            (i32.const 45) (i32.const 42)
            (call $is_outside
              (call $place (local.get $column) (local.get $columns) (f32.const 3) (f32.const -2))
              (call $place (local.get $row) (local.get $rows) (f32.const 2) (f32.const -1))
              (local.get $limit))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (local.set $column (i32.add (local.get $column) (i32.const 1)))
        (br_if $next_column (i32.lt_s (local.get $column) (local.get $columns))))
      (i32.store8 (local.get $at) (i32.const 10))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (local.set $row (i32.add (local.get $row) (i32.const 1)))
      (br_if $next_row (i32.lt_s (local.get $row) (local.get $rows))))
    (i32.store8 (local.get $at) (i32.const 0))
    (i32.const 0))
)
