/**
 * Dot products of `vector` with each row of `matrix` (`[rows, vector.length]`, row by row): for unit vectors,
 * their cosine similarities. Sums in double precision.
 */
export function similarities(matrix: Float32Array, vector: Float32Array): Float32Array {
  const width = vector.length;
  const rows = matrix.length / width;
  const cosines = new Float32Array(rows);
  let row = 0;
  // Four rows at once: each number of the vector is loaded once for four, and the sums do not wait for each other.
  for (; row + 4 <= rows; row += 4) {
    const a = row * width;
    const b = a + width;
    const c = b + width;
    const d = c + width;
    let sumA = 0;
    let sumB = 0;
    let sumC = 0;
    let sumD = 0;
    for (let i = 0; i < width; i++) {
      const x = vector[i] as number;
      sumA += (matrix[a + i] as number) * x;
      sumB += (matrix[b + i] as number) * x;
      sumC += (matrix[c + i] as number) * x;
      sumD += (matrix[d + i] as number) * x;
    }
    cosines[row] = sumA;
    cosines[row + 1] = sumB;
    cosines[row + 2] = sumC;
    cosines[row + 3] = sumD;
  }
  for (; row < rows; row++) {
    let sum = 0;
    for (let i = 0; i < width; i++)
      sum += (matrix[row * width + i] as number) * (vector[i] as number);
    cosines[row] = sum;
  }
  return cosines;
}
