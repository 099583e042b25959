/* What is asked of libjpeg-turbo: a part of a JPEG, upright, in RGB. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "jpeglib.h"
#include "codec.h"

/* A progressive file of a few kB can ask for thousands, each as costly as the whole image. */
#define MOST_SCANS 50

static struct jpeg_decompress_struct cinfo;
static struct jpeg_error_mgr errors;
static struct jpeg_progress_mgr progress;

static void on_error(j_common_ptr c) { refuse(c->err->msg_code); }
static void on_message(j_common_ptr c, int level) { if (level < 0) refuse(c->err->msg_code); }
static void on_reset(j_common_ptr c) {}
static void on_progress(j_common_ptr c) { if (cinfo.input_scan_number > MOST_SCANS) refuse(0); }

__attribute__((export_name("allocate"))) void *allocate(unsigned size)
{
  void *at = malloc(size);
  if (at == NULL) refuse(1);
  return at;
}

__attribute__((export_name("release"))) void release(void *at) { free(at); }

/*
 * The part of `width` by `height` pixels from (left, top): the first of them at `start`, `right` bytes from one to its
 * neighbour, `down` from row to row.
 */
__attribute__((export_name("decode"))) void decode(
  const unsigned char *bytes, unsigned size,
  unsigned left, unsigned top, unsigned width, unsigned height,
  unsigned char *start, int right, int down)
{
  memset(&cinfo, 0, sizeof cinfo);
  memset(&errors, 0, sizeof errors);
  errors.error_exit = on_error;
  errors.emit_message = on_message;
  errors.reset_error_mgr = on_reset;
  cinfo.err = &errors;
  jpeg_create_decompress(&cinfo);
  progress.progress_monitor = on_progress;
  cinfo.progress = &progress;
  jpeg_mem_src(&cinfo, bytes, size);
  jpeg_read_header(&cinfo, TRUE);
  cinfo.out_color_space = JCS_RGB;
  jpeg_start_decompress(&cinfo);
  if (left + width > cinfo.output_width || top + height > cinfo.output_height) refuse(2);

  /* More blocks on either side, for upsampling looks at the neighbours. */
  unsigned margin = 2 * cinfo.max_h_samp_factor * 8;
  JDIMENSION first = left > margin ? left - margin : 0;
  unsigned end = left + width + margin < cinfo.output_width ? left + width + margin : cinfo.output_width;
  JDIMENSION span = end - first;
  if (span < cinfo.output_width) jpeg_crop_scanline(&cinfo, &first, &span);
  /* The conversion of colours writes sixteen pixels at once. */
  unsigned char *row = allocate(cinfo.output_width * 3 + 48);
  const unsigned char *part = row + (left - first) * 3;
  if (top > 0 && jpeg_skip_scanlines(&cinfo, top) != top) refuse(3);
  for (unsigned y = 0; y < height; y++, start += down) {
    if (jpeg_read_scanlines(&cinfo, &row, 1) != 1) refuse(4);
    if (right == 3) memcpy(start, part, width * 3);
    else for (unsigned x = 0; x < width; x++) memcpy(start + (int)x * right, part + 3 * x, 3);
  }
  free(row);
  jpeg_destroy_decompress(&cinfo);
}
