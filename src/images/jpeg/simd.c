/*
 * The kernels that libjpeg-turbo leaves to SIMD extensions, in WebAssembly's 128 bits: the accurate inverse DCT, fancy
 * upsampling and YCbCr to RGB. Each gives what the library's own C gives, to the bit (jidctint.c, jdsample.c, jdcolext.c);
 * where a broken file overflows 16 bits, what its extensions for x86-64 give.
 */
#include <wasm_simd128.h>

#define JPEG_INTERNALS
#include "jinclude.h"
#include "jpeglib.h"
#include "jdct.h"
#include "jsimd.h"

#define FIX(x) ((short)((x) * 8192 + ((x) < 0 ? -0.5 : 0.5)))
#define PAIR(a, b) wasm_i16x8_make(a, b, a, b, a, b, a, b)

/* Of the pairs (a, b) of two vectors: a * x + b * y, for the lower and the upper four. */
#define LOW(a, b) wasm_i16x8_shuffle(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define HIGH(a, b) wasm_i16x8_shuffle(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
#define DOT wasm_i32x4_dot_i16x8

typedef struct { v128_t row[8]; } block;

#define BUTTERFLY(k, even, odd) \
  out.row[k] = wasm_i16x8_narrow_i32x4( \
    wasm_i32x4_shr(wasm_i32x4_add(wasm_i32x4_add(even[0], odd[0]), round), shift), \
    wasm_i32x4_shr(wasm_i32x4_add(wasm_i32x4_add(even[1], odd[1]), round), shift)); \
  out.row[7 - k] = wasm_i16x8_narrow_i32x4( \
    wasm_i32x4_shr(wasm_i32x4_add(wasm_i32x4_sub(even[0], odd[0]), round), shift), \
    wasm_i32x4_shr(wasm_i32x4_add(wasm_i32x4_sub(even[1], odd[1]), round), shift));

/* Loeffler, Ligtenberg and Moschytz over eight columns at once, with rotations as dot products. */
static INLINE block transform(block in, const int shift)
{
  const v128_t round = wasm_i32x4_splat(1 << (shift - 1));
  v128_t *r = in.row;
  v128_t t10[2], t11[2], t12[2], t13[2], o0[2], o1[2], o2[2], o3[2];
  v128_t sum73 = wasm_i16x8_add(r[7], r[3]), sum51 = wasm_i16x8_add(r[5], r[1]);
  v128_t sum04 = wasm_i16x8_add(r[0], r[4]), less04 = wasm_i16x8_sub(r[0], r[4]);
  block out;

  for (int half = 0; half < 2; half++) {
    v128_t r26 = half ? HIGH(r[2], r[6]) : LOW(r[2], r[6]);
    v128_t r71 = half ? HIGH(r[7], r[1]) : LOW(r[7], r[1]);
    v128_t r53 = half ? HIGH(r[5], r[3]) : LOW(r[5], r[3]);
    v128_t sums = half ? HIGH(sum73, sum51) : LOW(sum73, sum51);
    v128_t e3 = DOT(r26, PAIR(FIX(0.541196100) + FIX(0.765366865), FIX(0.541196100)));
    v128_t e2 = DOT(r26, PAIR(FIX(0.541196100), FIX(0.541196100) - FIX(1.847759065)));
    v128_t e0 = wasm_i32x4_shl(half ? wasm_i32x4_extend_high_i16x8(sum04) : wasm_i32x4_extend_low_i16x8(sum04), 13);
    v128_t e1 = wasm_i32x4_shl(half ? wasm_i32x4_extend_high_i16x8(less04) : wasm_i32x4_extend_low_i16x8(less04), 13);
    v128_t z3 = DOT(sums, PAIR(FIX(1.175875602) - FIX(1.961570560), FIX(1.175875602)));
    v128_t z4 = DOT(sums, PAIR(FIX(1.175875602), FIX(1.175875602) - FIX(0.390180644)));
    t10[half] = wasm_i32x4_add(e0, e3);
    t13[half] = wasm_i32x4_sub(e0, e3);
    t11[half] = wasm_i32x4_add(e1, e2);
    t12[half] = wasm_i32x4_sub(e1, e2);
    o0[half] = wasm_i32x4_add(z3,
      DOT(r71, PAIR(FIX(0.298631336) - FIX(0.899976223), -FIX(0.899976223))));
    o3[half] = wasm_i32x4_add(z4,
      DOT(r71, PAIR(-FIX(0.899976223), FIX(1.501321110) - FIX(0.899976223))));
    o1[half] = wasm_i32x4_add(z4,
      DOT(r53, PAIR(FIX(2.053119869) - FIX(2.562915447), -FIX(2.562915447))));
    o2[half] = wasm_i32x4_add(z3,
      DOT(r53, PAIR(-FIX(2.562915447), FIX(3.072711026) - FIX(2.562915447))));
  }
  BUTTERFLY(0, t10, o3)
  BUTTERFLY(1, t11, o2)
  BUTTERFLY(2, t12, o1)
  BUTTERFLY(3, t13, o0)
  return out;
}

static INLINE block transpose(block in)
{
  block a, b, out;
  for (int i = 0; i < 4; i++) {
    a.row[2 * i] = LOW(in.row[i], in.row[i + 4]);
    a.row[2 * i + 1] = HIGH(in.row[i], in.row[i + 4]);
  }
  for (int i = 0; i < 4; i++) {
    b.row[2 * i] = LOW(a.row[i], a.row[i + 4]);
    b.row[2 * i + 1] = HIGH(a.row[i], a.row[i + 4]);
  }
  for (int i = 0; i < 4; i++) {
    out.row[2 * i] = LOW(b.row[i], b.row[i + 4]);
    out.row[2 * i + 1] = HIGH(b.row[i], b.row[i + 4]);
  }
  return out;
}

unsigned int jsimd_set_idct_islow(j_decompress_ptr cinfo) { return 1; }

void jsimd_idct_islow(j_decompress_ptr cinfo, jpeg_component_info *compptr, JCOEFPTR coefs,
                      JSAMPARRAY output, JDIMENSION column)
{
  const ISLOW_MULT_TYPE *quant = compptr->dct_table;
  block b;
  v128_t lower = wasm_v128_load(coefs + 8);
  v128_t first = wasm_i16x8_mul(wasm_v128_load(coefs), wasm_v128_load(quant));

  for (int i = 2; i < 8; i++) lower = wasm_v128_or(lower, wasm_v128_load(coefs + 8 * i));
  if (wasm_v128_any_true(lower)) {
    b.row[0] = first;
    for (int i = 1; i < 8; i++)
      b.row[i] = wasm_i16x8_mul(wasm_v128_load(coefs + 8 * i), wasm_v128_load(quant + 8 * i));
    b = transform(b, 11);
  } else {
    for (int i = 0; i < 8; i++) b.row[i] = wasm_i16x8_shl(first, 2);
  }
  b = transpose(transform(transpose(b), 18));
  for (int i = 0; i < 8; i += 2) {
    v128_t two = wasm_i8x16_add(wasm_i8x16_narrow_i16x8(b.row[i], b.row[i + 1]),
                                wasm_i8x16_splat((char)CENTERJSAMPLE));
    wasm_v128_store64_lane(output[i] + column, two, 0);
    wasm_v128_store64_lane(output[i + 1] + column, two, 1);
  }
}

unsigned int jsimd_set_ycc_rgb(j_decompress_ptr cinfo) { return 1; }

/* (a * x + b * y + 2^15) >> 16, of eight pairs. */
static INLINE v128_t scaled(v128_t a, v128_t b, v128_t weights)
{
  const v128_t half = wasm_i32x4_splat(1 << 15);
  return wasm_i16x8_narrow_i32x4(
    wasm_i32x4_shr(wasm_i32x4_add(DOT(LOW(a, b), weights), half), 16),
    wasm_i32x4_shr(wasm_i32x4_add(DOT(HIGH(a, b), weights), half), 16));
}

/* Sixteen pixels at a time; up to 45 bytes are written beyond a row, which the caller leaves room for. */
void jsimd_color_deconvert(j_decompress_ptr cinfo, JSAMPIMAGE input, JDIMENSION first,
                           JSAMPARRAY output, int rows)
{
  const v128_t centre = wasm_i16x8_splat(CENTERJSAMPLE);
  for (int row = 0; row < rows; row++) {
    const JSAMPLE *y = input[0][first + row];
    const JSAMPLE *cb = input[1][first + row];
    const JSAMPLE *cr = input[2][first + row];
    JSAMPLE *to = output[row];
    for (JDIMENSION x = 0; x < cinfo->output_width; x += 16, to += 48) {
      v128_t red[2], green[2], blue[2];
      for (int half = 0; half < 2; half++) {
        v128_t l = wasm_u16x8_load8x8(y + x + 8 * half);
        v128_t b = wasm_i16x8_sub(wasm_u16x8_load8x8(cb + x + 8 * half), centre);
        v128_t r = wasm_i16x8_sub(wasm_u16x8_load8x8(cr + x + 8 * half), centre);
        /* 1.402 = 1 + 0.402; 1.772 = 2 - 0.228; -0.71414 = -1 + 0.28586: what is left fits 16 bits. */
        red[half] = wasm_i16x8_add(wasm_i16x8_add(l, r), scaled(r, b, PAIR(26345, 0)));
        blue[half] = wasm_i16x8_add(wasm_i16x8_add(l, wasm_i16x8_add(b, b)),
                                    scaled(r, b, PAIR(0, -14942)));
        green[half] = wasm_i16x8_add(wasm_i16x8_sub(l, r), scaled(r, b, PAIR(18734, -22554)));
      }
      v128_t r = wasm_u8x16_narrow_i16x8(red[0], red[1]);
      v128_t g = wasm_u8x16_narrow_i16x8(green[0], green[1]);
      v128_t b = wasm_u8x16_narrow_i16x8(blue[0], blue[1]);
      v128_t rg = wasm_i8x16_shuffle(r, g, 0, 16, 0, 1, 17, 0, 2, 18, 0, 3, 19, 0, 4, 20, 0, 5);
      wasm_v128_store(to, wasm_i8x16_shuffle(rg, b, 0, 1, 16, 3, 4, 17, 6, 7, 18, 9, 10, 19, 12, 13, 20, 15));
      rg = wasm_i8x16_shuffle(r, g, 21, 0, 6, 22, 0, 7, 23, 0, 8, 24, 0, 9, 25, 0, 10, 26);
      wasm_v128_store(to + 16, wasm_i8x16_shuffle(rg, b, 0, 21, 2, 3, 22, 5, 6, 23, 8, 9, 24, 11, 12, 25, 14, 15));
      rg = wasm_i8x16_shuffle(r, g, 0, 11, 27, 0, 12, 28, 0, 13, 29, 0, 14, 30, 0, 15, 31, 0);
      wasm_v128_store(to + 32, wasm_i8x16_shuffle(rg, b, 26, 1, 2, 27, 4, 5, 28, 7, 8, 29, 10, 11, 30, 13, 14, 31));
    }
  }
}

/* Eight samples become sixteen: (3 * here + before + 2^(shift-1)) >> shift, and with what comes after, rounded down. */
static INLINE void spread(v128_t before, v128_t here, v128_t after, int up, int down, int shift, JSAMPLE *to)
{
  v128_t thrice = wasm_i16x8_add(wasm_i16x8_add(here, here), here);
  v128_t left = wasm_u16x8_shr(wasm_i16x8_add(wasm_i16x8_add(thrice, before), wasm_i16x8_splat(up)), shift);
  v128_t right = wasm_u16x8_shr(wasm_i16x8_add(wasm_i16x8_add(thrice, after), wasm_i16x8_splat(down)), shift);
  wasm_v128_store(to, wasm_v128_or(left, wasm_i16x8_shl(right, 8)));
}

unsigned int jsimd_set_h2v1_fancy_upsample(j_decompress_ptr cinfo) { return 1; }

void jsimd_h2v1_fancy_upsample(j_decompress_ptr cinfo, jpeg_component_info *compptr,
                               JSAMPARRAY input, JSAMPARRAY *output)
{
  const int last = compptr->downsampled_width - 1;
  for (int row = 0; row < cinfo->max_v_samp_factor; row++) {
    const JSAMPLE *in = input[row];
    JSAMPLE *out = (*output)[row];
    int x = 1;
    out[0] = in[0];
    out[1] = (in[0] * 3 + in[1] + 2) >> 2;
    for (; x + 8 <= last; x += 8)
      spread(wasm_u16x8_load8x8(in + x - 1), wasm_u16x8_load8x8(in + x), wasm_u16x8_load8x8(in + x + 1),
             1, 2, 2, out + 2 * x);
    for (; x < last; x++) {
      out[2 * x] = (in[x] * 3 + in[x - 1] + 1) >> 2;
      out[2 * x + 1] = (in[x] * 3 + in[x + 1] + 2) >> 2;
    }
    out[2 * last] = (in[last] * 3 + in[last - 1] + 1) >> 2;
    out[2 * last + 1] = in[last];
  }
}

unsigned int jsimd_set_h2v2_fancy_upsample(j_decompress_ptr cinfo) { return 1; }

#define SUM(x) (near[x] * 3 + far[x])
#define SUMS(x) wasm_i16x8_add(wasm_i16x8_mul(wasm_u16x8_load8x8(near + (x)), wasm_i16x8_splat(3)), \
                               wasm_u16x8_load8x8(far + (x)))

void jsimd_h2v2_fancy_upsample(j_decompress_ptr cinfo, jpeg_component_info *compptr,
                               JSAMPARRAY input, JSAMPARRAY *output)
{
  const int last = compptr->downsampled_width - 1;
  for (int row = 0; row < cinfo->max_v_samp_factor; row++) {
    const JSAMPLE *near = input[row / 2];
    const JSAMPLE *far = input[row / 2 + (row % 2 ? 1 : -1)];
    JSAMPLE *out = (*output)[row];
    int x = 1;
    out[0] = (SUM(0) * 4 + 8) >> 4;
    out[1] = (SUM(0) * 3 + SUM(1) + 7) >> 4;
    for (; x + 8 <= last; x += 8) spread(SUMS(x - 1), SUMS(x), SUMS(x + 1), 8, 7, 4, out + 2 * x);
    for (; x < last; x++) {
      out[2 * x] = (SUM(x) * 3 + SUM(x - 1) + 8) >> 4;
      out[2 * x + 1] = (SUM(x) * 3 + SUM(x + 1) + 7) >> 4;
    }
    out[2 * last] = (SUM(last) * 3 + SUM(last - 1) + 8) >> 4;
    out[2 * last + 1] = (SUM(last) * 4 + 7) >> 4;
  }
}

/* What is left to the library's own C. */
#define NONE_OF(name) unsigned int jsimd_set_##name(j_decompress_ptr cinfo) { return 0; }
NONE_OF(idct_2x2) NONE_OF(idct_4x4) NONE_OF(idct_ifast) NONE_OF(idct_float)
NONE_OF(h2v1_upsample) NONE_OF(h2v2_upsample) NONE_OF(h1v2_fancy_upsample)
NONE_OF(h2v1_merged_upsample) NONE_OF(h2v2_merged_upsample) NONE_OF(ycc_rgb565)
