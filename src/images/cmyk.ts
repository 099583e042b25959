/** As Pillow and browsers convert where no profile says better: ink by ink, in bytes rounded as Pillow does. */
export function cmykToRgb(cmyk: Uint8Array): Uint8Array {
  const rgb = new Uint8Array((cmyk.length / 4) * 3);
  for (let from = 0, to = 0; from < cmyk.length; from += 4) {
    const white = 255 - (cmyk[from + 3] as number);
    for (let ink = 0; ink < 3; ink++) {
      const product = (cmyk[from + ink] as number) * white + 128;
      rgb[to++] = Math.max(0, white - ((product + (product >> 8)) >> 8));
    }
  }
  return rgb;
}
