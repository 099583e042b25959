/* What libjpeg-turbo's decoder names and is never asked for here: other depths than 8 bits, lossless, palettes. */
#define JPEG_INTERNALS
#include "jinclude.h"
#include "jpeglib.h"
#include "jdct.h"
#include "jsimd.h"

#include "codec.h"

#define NEVER(name) void name(j_decompress_ptr cinfo) { refuse(0); }
#define NEVER_BUFFERED(name) void name(j_decompress_ptr cinfo, boolean full) { refuse(0); }
NEVER(jinit_1pass_quantizer) NEVER(j12init_1pass_quantizer)
NEVER(jinit_2pass_quantizer) NEVER(j12init_2pass_quantizer)
NEVER(j12init_color_deconverter) NEVER(j16init_color_deconverter)
NEVER(jinit_merged_upsampler) NEVER(j12init_merged_upsampler)
NEVER(j12init_upsampler) NEVER(j16init_upsampler)
NEVER(j12init_inverse_dct)
NEVER(jinit_lhuff_decoder)
NEVER(jinit_lossless_decompressor) NEVER(j12init_lossless_decompressor) NEVER(j16init_lossless_decompressor)
NEVER_BUFFERED(j12init_d_coef_controller)
NEVER_BUFFERED(jinit_d_diff_controller) NEVER_BUFFERED(j12init_d_diff_controller) NEVER_BUFFERED(j16init_d_diff_controller)
NEVER_BUFFERED(j12init_d_main_controller) NEVER_BUFFERED(j16init_d_main_controller)
NEVER_BUFFERED(j12init_d_post_controller) NEVER_BUFFERED(j16init_d_post_controller)

#define NO_IDCT(name) void name(j_decompress_ptr cinfo, jpeg_component_info *c, JCOEFPTR b, JSAMPARRAY o, JDIMENSION x) { refuse(0); }
NO_IDCT(jsimd_idct_2x2) NO_IDCT(jsimd_idct_4x4) NO_IDCT(jsimd_idct_ifast) NO_IDCT(jsimd_idct_float)
NO_IDCT(jpeg_idct_ifast) NO_IDCT(jpeg_idct_float)

#define NO_UPSAMPLE(name) void name(j_decompress_ptr cinfo, jpeg_component_info *c, JSAMPARRAY i, JSAMPARRAY *o) { refuse(0); }
NO_UPSAMPLE(jsimd_h2v1_upsample) NO_UPSAMPLE(jsimd_h2v2_upsample) NO_UPSAMPLE(jsimd_h1v2_fancy_upsample)
void jsimd_h2v1_merged_upsample(j_decompress_ptr cinfo, JSAMPIMAGE i, JDIMENSION c, JSAMPARRAY o) { refuse(0); }
void jsimd_h2v2_merged_upsample(j_decompress_ptr cinfo, JSAMPIMAGE i, JDIMENSION c, JSAMPARRAY o) { refuse(0); }
