;; The two passes of Pillow's ImagingResample over RGB of 8 bits, to the bit.
;;
;; A weight has 22 fractional bits and does not fit the 16-bit dot product, so it comes as two halves,
;; weight = high * 2^11 + low, whose sums are kept apart and put together at the end. All sums are taken
;; modulo 2^32, as Pillow's are.
;;
;; Taps are records of $recordSize bytes, one for each sample of the output:
;;   i32 start    first input sample (a byte offset in rows, a row in columns)
;;   i32 groups   how many groups of weights follow
;;   i16 weights  in rows, groups of 4: high × 4, low × 4; in columns, groups of 2: high × 2, low × 2
;; Missing weights of the last group are zero. Reads go up to 15 bytes, and a row, beyond the input, and
;; writes up to 15 bytes beyond the output; the caller leaves room.
(module
  (memory (export "memory") 1)

  (func $round (param $high v128) (param $low v128) (result v128)
    (i32x4.shr_s
      (i32x4.add
        (i32x4.add (i32x4.shl (local.get $high) (i32.const 11)) (local.get $low))
        (v128.const i32x4 0x200000 0x200000 0x200000 0x200000))
      (i32.const 22)))

  ;; Along each row: `rows` rows of `rowSize` bytes at `source` become rows of `width` pixels at `target`.
  (func (export "resampleRows")
    (param $source i32) (param $rowSize i32) (param $rows i32)
    (param $target i32) (param $width i32)
    (param $taps i32) (param $recordSize i32)
    (local $x i32) (local $record i32) (local $from i32) (local $groups i32) (local $weights i32)
    (local $high v128) (local $low v128) (local $w v128) (local $rgb v128) (local $a v128) (local $b v128)
    (loop $row
      (if (i32.eqz (local.get $rows)) (then (return)))
      (local.set $record (local.get $taps))
      (local.set $x (local.get $width))
      (loop $pixel
        (local.set $from (i32.add (local.get $source) (i32.load (local.get $record))))
        (local.set $groups (i32.load offset=4 (local.get $record)))
        (local.set $weights (i32.add (local.get $record) (i32.const 8)))
        (local.set $high (v128.const i32x4 0 0 0 0))
        (local.set $low (v128.const i32x4 0 0 0 0))
        (loop $group
          (local.set $rgb (v128.load align=1 (local.get $from)))
          (local.set $w (v128.load align=1 (local.get $weights)))
          ;; Four pixels as 16-bit pairs: r0 r1 g0 g1 b0 b1 and r2 r3 g2 g3 b2 b3.
          (local.set $a
            (i8x16.shuffle 0 16 3 16 1 16 4 16 2 16 5 16 16 16 16 16
              (local.get $rgb) (v128.const i32x4 0 0 0 0)))
          (local.set $b
            (i8x16.shuffle 6 16 9 16 7 16 10 16 8 16 11 16 16 16 16 16
              (local.get $rgb) (v128.const i32x4 0 0 0 0)))
          (local.set $high
            (i32x4.add (local.get $high)
              (i32x4.add
                (i32x4.dot_i16x8_s (local.get $a)
                  (i8x16.shuffle 0 1 2 3 0 1 2 3 0 1 2 3 0 1 2 3 (local.get $w) (local.get $w)))
                (i32x4.dot_i16x8_s (local.get $b)
                  (i8x16.shuffle 4 5 6 7 4 5 6 7 4 5 6 7 4 5 6 7 (local.get $w) (local.get $w))))))
          (local.set $low
            (i32x4.add (local.get $low)
              (i32x4.add
                (i32x4.dot_i16x8_s (local.get $a)
                  (i8x16.shuffle 8 9 10 11 8 9 10 11 8 9 10 11 8 9 10 11
                    (local.get $w) (local.get $w)))
                (i32x4.dot_i16x8_s (local.get $b)
                  (i8x16.shuffle 12 13 14 15 12 13 14 15 12 13 14 15 12 13 14 15
                    (local.get $w) (local.get $w))))))
          (local.set $from (i32.add (local.get $from) (i32.const 12)))
          (local.set $weights (i32.add (local.get $weights) (i32.const 16)))
          (br_if $group
            (local.tee $groups (i32.sub (local.get $groups) (i32.const 1)))))
        ;; Four bytes are written, the fourth over the next pixel's first, which comes after.
        (local.set $a (call $round (local.get $high) (local.get $low)))
        (local.set $a (i16x8.narrow_i32x4_s (local.get $a) (local.get $a)))
        (v128.store32_lane align=1 0 (local.get $target)
          (i8x16.narrow_i16x8_u (local.get $a) (local.get $a)))
        (local.set $target (i32.add (local.get $target) (i32.const 3)))
        (local.set $record (i32.add (local.get $record) (local.get $recordSize)))
        (br_if $pixel (local.tee $x (i32.sub (local.get $x) (i32.const 1)))))
      (local.set $source (i32.add (local.get $source) (local.get $rowSize)))
      (local.set $rows (i32.sub (local.get $rows) (i32.const 1)))
      (br $row)))

  ;; Across rows of `rowSize` bytes at `source`: `rows` rows of the same size at `target`.
  (func (export "resampleColumns")
    (param $source i32) (param $rowSize i32)
    (param $target i32) (param $rows i32)
    (param $taps i32) (param $recordSize i32)
    (local $x i32) (local $first i32) (local $from i32) (local $groups i32) (local $weights i32)
    (local $h0 v128) (local $h1 v128) (local $h2 v128) (local $h3 v128)
    (local $l0 v128) (local $l1 v128) (local $l2 v128) (local $l3 v128)
    (local $a v128) (local $b v128) (local $high v128) (local $low v128)
    (local $left v128) (local $right v128)
    (loop $row
      (if (i32.eqz (local.get $rows)) (then (return)))
      (local.set $first
        (i32.add (local.get $source) (i32.mul (i32.load (local.get $taps)) (local.get $rowSize))))
      (local.set $x (i32.const 0))
      ;; Sixteen bytes of the row at a time; the last ones may reach into the next row, which comes after.
      (loop $chunk
        (local.set $from (i32.add (local.get $first) (local.get $x)))
        (local.set $groups (i32.load offset=4 (local.get $taps)))
        (local.set $weights (i32.add (local.get $taps) (i32.const 8)))
        (local.set $h0 (v128.const i32x4 0 0 0 0))
        (local.set $h1 (v128.const i32x4 0 0 0 0))
        (local.set $h2 (v128.const i32x4 0 0 0 0))
        (local.set $h3 (v128.const i32x4 0 0 0 0))
        (local.set $l0 (v128.const i32x4 0 0 0 0))
        (local.set $l1 (v128.const i32x4 0 0 0 0))
        (local.set $l2 (v128.const i32x4 0 0 0 0))
        (local.set $l3 (v128.const i32x4 0 0 0 0))
        (loop $group
          (local.set $high (v128.load32_splat align=1 (local.get $weights)))
          (local.set $low (v128.load32_splat offset=4 align=1 (local.get $weights)))
          (local.set $a (v128.load align=1 (local.get $from)))
          (local.set $b
            (v128.load align=1 (i32.add (local.get $from) (local.get $rowSize))))
          (local.set $left
            (i8x16.shuffle 0 16 1 17 2 18 3 19 4 20 5 21 6 22 7 23 (local.get $a) (local.get $b)))
          (local.set $right
            (i8x16.shuffle 8 24 9 25 10 26 11 27 12 28 13 29 14 30 15 31
              (local.get $a) (local.get $b)))
          (local.set $a (i16x8.extend_low_i8x16_u (local.get $left)))
          (local.set $b (i16x8.extend_high_i8x16_u (local.get $left)))
          (local.set $h0
            (i32x4.add (local.get $h0) (i32x4.dot_i16x8_s (local.get $a) (local.get $high))))
          (local.set $l0
            (i32x4.add (local.get $l0) (i32x4.dot_i16x8_s (local.get $a) (local.get $low))))
          (local.set $h1
            (i32x4.add (local.get $h1) (i32x4.dot_i16x8_s (local.get $b) (local.get $high))))
          (local.set $l1
            (i32x4.add (local.get $l1) (i32x4.dot_i16x8_s (local.get $b) (local.get $low))))
          (local.set $a (i16x8.extend_low_i8x16_u (local.get $right)))
          (local.set $b (i16x8.extend_high_i8x16_u (local.get $right)))
          (local.set $h2
            (i32x4.add (local.get $h2) (i32x4.dot_i16x8_s (local.get $a) (local.get $high))))
          (local.set $l2
            (i32x4.add (local.get $l2) (i32x4.dot_i16x8_s (local.get $a) (local.get $low))))
          (local.set $h3
            (i32x4.add (local.get $h3) (i32x4.dot_i16x8_s (local.get $b) (local.get $high))))
          (local.set $l3
            (i32x4.add (local.get $l3) (i32x4.dot_i16x8_s (local.get $b) (local.get $low))))
          (local.set $from
            (i32.add (local.get $from) (i32.shl (local.get $rowSize) (i32.const 1))))
          (local.set $weights (i32.add (local.get $weights) (i32.const 8)))
          (br_if $group
            (local.tee $groups (i32.sub (local.get $groups) (i32.const 1)))))
        (v128.store align=1 (i32.add (local.get $target) (local.get $x))
          (i8x16.narrow_i16x8_u
            (i16x8.narrow_i32x4_s
              (call $round (local.get $h0) (local.get $l0))
              (call $round (local.get $h1) (local.get $l1)))
            (i16x8.narrow_i32x4_s
              (call $round (local.get $h2) (local.get $l2))
              (call $round (local.get $h3) (local.get $l3)))))
        (br_if $chunk
          (i32.lt_u
            (local.tee $x (i32.add (local.get $x) (i32.const 16)))
            (local.get $rowSize))))
      (local.set $target (i32.add (local.get $target) (local.get $rowSize)))
      (local.set $taps (i32.add (local.get $taps) (local.get $recordSize)))
      (local.set $rows (i32.sub (local.get $rows) (i32.const 1)))
      (br $row))))
