// How V8 and glibc manage the memory of a process that runs for long. Neither can be told once the process runs.
// What each is worth stands in docs/adr/0019-process-memory.md.

/** Options of Node, in MiB. */
export const OPTIONS = {
  // Encoded images and pixels count as garbage of the heap. From where V8 starts by itself they are so much, after
  // some thirty photos, that all of the heap is marked, several times a second.
  '--initial-heap-size': 256,
  // What dies young, images included, is freed soon instead of in one go.
  '--max-semi-space-size': 4,
};

/** In bytes: glibc maps larger blocks one by one, and gives them back, instead of keeping them for later ones. */
export const ENVIRONMENT = {
  MALLOC_MMAP_THRESHOLD_: '131072',
  MALLOC_TRIM_THRESHOLD_: '131072',
};
