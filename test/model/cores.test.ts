import { describe, expect, it } from '@jest/globals';
import { shareCores } from '../../src/model/cores.ts';

const MIB = 1024 * 1024;

function model(vision: number, data = 0) {
  const file = (name: string, bytes: number) => ({ name, bytes, sha256: '' });
  return {
    path: '/models/one',
    graphs: {
      vision: '/models/one/onnx/vision_model.onnx',
      text: '/models/one/onnx/text_model.onnx',
    },
    files: [
      file('onnx/text_model.onnx', 9_000 * MIB),
      file('onnx/vision_model.onnx', vision),
      file('onnx/vision_model.onnx_data', data),
    ],
  };
}

const small = model(6 * MIB);

describe('shareCores', () => {
  it.each([
    { cores: 1, workers: 1, threads: 1 },
    { cores: 2, workers: 2, threads: 1 },
    { cores: 3, workers: 3, threads: 1 },
    { cores: 4, workers: 4, threads: 1 },
    { cores: 6, workers: 4, threads: 1 },
    { cores: 16, workers: 4, threads: 4 },
  ])('gives a small model $workers workers of $threads on $cores cores', ({ cores, ...shared }) => {
    expect(shareCores({ workers: 0, threads: 0 }, small, 'cpu', cores)).toEqual(shared);
  });

  it('takes as many copies of the weights as are still light, those beside the graph included', () => {
    const workers = (vision: number, data = 0): number =>
      shareCores({ workers: 0, threads: 0 }, model(vision, data), 'cpu', 8).workers;
    expect(workers(200 * MIB)).toBe(2);
    expect(workers(350 * MIB)).toBe(1);
    expect(workers(1 * MIB, 200 * MIB)).toBe(2);
    expect(workers(1 * MIB, 2_000 * MIB)).toBe(1);
  });

  it('leaves what is given', () => {
    const of = (workers: number, threads: number) =>
      shareCores({ workers, threads }, small, 'cpu', 8);
    expect(of(3, 5)).toEqual({ workers: 3, threads: 5 });
    expect(of(2, 0)).toEqual({ workers: 2, threads: 4 });
    expect(of(16, 0)).toEqual({ workers: 16, threads: 1 });
    expect(of(0, 4)).toEqual({ workers: 2, threads: 4 });
    expect(of(0, 16)).toEqual({ workers: 1, threads: 16 });
  });

  it('gives a GPU one worker, unless there are to be more', () => {
    expect(shareCores({ workers: 0, threads: 0 }, small, 'cuda', 8).workers).toBe(1);
    expect(shareCores({ workers: 2, threads: 0 }, small, 'tensorrt', 8).workers).toBe(2);
  });
});
