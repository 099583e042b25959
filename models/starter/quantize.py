#!/usr/bin/env python3
"""Builds onnx/vision_model_int8.onnx, in which convolutions compute in 8 bits, from onnx/vision_model.onnx.

    pip install onnx==1.23.2 onnxruntime==1.30.0 numpy pillow sympy && python quantize.py

Static quantization (QDQ, activations uint8 by entropy, weights int8 per channel). Ranges are calibrated on every
other photo of samples/, whole and in nine random crops; the drift it prints is that on the other photos, which
it has not seen. The first convolutions, the classifier and the softmax stay in fp32: they cost little and matter most.
"""
import pathlib, random, tempfile, time
import numpy as np, onnx, onnxruntime as ort
from PIL import Image
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static

HERE = pathlib.Path(__file__).parent
SOURCE, TARGET = HERE / "onnx/vision_model.onnx", HERE / "onnx/vision_model_int8.onnx"
FP32_CONVOLUTIONS, CROPS, EDGE = 4, 9, 224
FP32_OPS = {"Gemm", "Softmax", "Slice", "Concat", "Div", "ReduceL2", "GlobalAveragePool"}


def pixels(image):
    scale = EDGE / min(image.size)
    width, height = (max(EDGE, round(edge * scale)) for edge in image.size)
    left, top = (width - EDGE) // 2, (height - EDGE) // 2
    image = image.resize((width, height), Image.BICUBIC).crop((left, top, left + EDGE, top + EDGE))
    return ((np.asarray(image, np.float32) - 127) / 128).transpose(2, 0, 1)[None]


def looks(photo, rng):
    image = Image.open(photo).convert("RGB")
    yield pixels(image)
    for _ in range(CROPS):
        width, height = (int(edge * rng.uniform(0.3, 1)) for edge in image.size)
        left, top = rng.randint(0, image.width - width), rng.randint(0, image.height - height)
        crop = image.crop((left, top, left + width, top + height))
        yield pixels(crop.transpose(Image.FLIP_LEFT_RIGHT) if rng.random() < 0.5 else crop)


class Reader(CalibrationDataReader):
    def __init__(self, batches): self.batches = iter(batches)
    def get_next(self):
        batch = next(self.batches, None)
        return None if batch is None else {"pixel_values": batch}


def session(path, **options):
    settings = ort.SessionOptions()
    settings.intra_op_num_threads, settings.log_severity_level = 1, 3
    for name, value in options.items(): setattr(settings, name, value)
    return ort.InferenceSession(str(path), settings, providers=["CPUExecutionProvider"])


def keep_compressed(model, source):
    """fp32 weights that build.py stores as int8 and a scale stay stored so."""
    stored = {t.name: t for t in source.graph.initializer}
    for fp32 in [t for t in model.graph.initializer if t.name + "_q" in stored]:
        nodes = [n for n in source.graph.node if n.output[0] in (fp32.name, fp32.name + "_f")]
        model.graph.initializer.remove(fp32)
        model.graph.initializer.extend(stored[fp32.name + end] for end in ("_q", "_s"))
        for at, node in enumerate(nodes): model.graph.node.insert(at, node)


def measure(path, batches):
    run = session(path)
    embeddings = np.concatenate([run.run(None, {"pixel_values": b})[0] for b in batches])
    eight, times = np.concatenate(batches[:8]), []
    for _ in range(9):
        start = time.process_time()
        run.run(None, {"pixel_values": eight})
        times.append((time.process_time() - start) / 8 * 1e3)
    return embeddings, min(times)


def main():
    rng = random.Random(1)
    photos = sorted(p for p in (HERE / "../../samples").iterdir()
                    if p.suffix in (".jpg", ".webp") and not p.name.startswith("interrupted"))
    seen = [x for photo in photos[::2] for x in looks(photo, rng)]
    unseen = [x for photo in photos[1::2] for x in looks(photo, rng)]
    with tempfile.TemporaryDirectory() as folder:
        folded = pathlib.Path(folder) / "folded.onnx"
        session(SOURCE, graph_optimization_level=ort.GraphOptimizationLevel.ORT_ENABLE_BASIC,
                optimized_model_filepath=str(folded))
        nodes = onnx.load(folded).graph.node
        convolutions = [n.name for n in nodes if n.op_type == "Conv"]
        quantize_static(folded, TARGET, Reader(seen), quant_format=QuantFormat.QDQ, per_channel=True,
                        activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
                        calibrate_method=CalibrationMethod.Entropy,
                        nodes_to_exclude=[n.name for n in nodes if n.op_type in FP32_OPS]
                        + convolutions[:FP32_CONVOLUTIONS])
    model = onnx.load(TARGET)
    keep_compressed(model, onnx.load(SOURCE))
    onnx.checker.check_model(model)
    onnx.save(model, TARGET)
    (exact, fp32_ms), (drifted, int8_ms) = measure(SOURCE, unseen), measure(TARGET, unseen)
    drift = 1 - (exact * drifted).sum(1)
    print(f"{TARGET.name}: {TARGET.stat().st_size} bytes; {int8_ms:.1f} ms an image on one core, fp32 {fp32_ms:.1f}")
    print(f"cosine distance to fp32 on {len(drift)} unseen looks: mean {drift.mean():.4f}, median {np.median(drift):.4f}, "
          f"90 % below {np.quantile(drift, 0.9):.4f}, most {drift.max():.3f}; "
          f"same first class {(exact.argmax(1) == drifted.argmax(1)).mean():.1%}")


if __name__ == "__main__": main()
