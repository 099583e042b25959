;; Dot products of one vector with each row of a matrix, in single precision.
;;
;; Four rows at once: each part of the vector is loaded once for four, and the sums do not wait for each other. The
;; number of rows is a multiple of four and `rowSize` of 16 bytes; whoever calls fills up with zeros.
(module
  (memory (export "memory") 1)

  (func $sum (param $parts v128) (result f32)
    (f32.add
      (f32.add
        (f32x4.extract_lane 0 (local.get $parts))
        (f32x4.extract_lane 1 (local.get $parts)))
      (f32.add
        (f32x4.extract_lane 2 (local.get $parts))
        (f32x4.extract_lane 3 (local.get $parts)))))

  ;; `rows` rows of `rowSize` bytes at `matrix`; one number for each goes to `target`.
  (func (export "dotProducts")
    (param $matrix i32) (param $rows i32) (param $rowSize i32) (param $vector i32) (param $target i32)
    (local $at i32) (local $end i32) (local $second i32) (local $third i32) (local $fourth i32) (local $x v128)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    (local.set $end (i32.add (local.get $vector) (local.get $rowSize)))
    (block $done
      (loop $group
        (br_if $done (i32.eqz (local.get $rows)))
        (local.set $second (i32.add (local.get $matrix) (local.get $rowSize)))
        (local.set $third (i32.add (local.get $second) (local.get $rowSize)))
        (local.set $fourth (i32.add (local.get $third) (local.get $rowSize)))
        (local.set $a (v128.const i32x4 0 0 0 0))
        (local.set $b (v128.const i32x4 0 0 0 0))
        (local.set $c (v128.const i32x4 0 0 0 0))
        (local.set $d (v128.const i32x4 0 0 0 0))
        (local.set $at (local.get $vector))
        (loop $part
          (local.set $x (v128.load (local.get $at)))
          (local.set $a
            (f32x4.add (local.get $a) (f32x4.mul (local.get $x) (v128.load (local.get $matrix)))))
          (local.set $b
            (f32x4.add (local.get $b) (f32x4.mul (local.get $x) (v128.load (local.get $second)))))
          (local.set $c
            (f32x4.add (local.get $c) (f32x4.mul (local.get $x) (v128.load (local.get $third)))))
          (local.set $d
            (f32x4.add (local.get $d) (f32x4.mul (local.get $x) (v128.load (local.get $fourth)))))
          (local.set $matrix (i32.add (local.get $matrix) (i32.const 16)))
          (local.set $second (i32.add (local.get $second) (i32.const 16)))
          (local.set $third (i32.add (local.get $third) (i32.const 16)))
          (local.set $fourth (i32.add (local.get $fourth) (i32.const 16)))
          (local.set $at (i32.add (local.get $at) (i32.const 16)))
          (br_if $part (i32.lt_u (local.get $at) (local.get $end))))
        (f32.store (local.get $target) (call $sum (local.get $a)))
        (f32.store offset=4 (local.get $target) (call $sum (local.get $b)))
        (f32.store offset=8 (local.get $target) (call $sum (local.get $c)))
        (f32.store offset=12 (local.get $target) (call $sum (local.get $d)))
        ;; Where the fourth row ends, the next group begins.
        (local.set $matrix (local.get $fourth))
        (local.set $target (i32.add (local.get $target) (i32.const 16)))
        (local.set $rows (i32.sub (local.get $rows) (i32.const 4)))
        (br $group)))))
