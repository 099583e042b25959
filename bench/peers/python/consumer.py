"""A batch consumer as a careful engineer writes it in Python.

Records are taken sixteen at a time. Threads decode the next batches while one is inferred: Pillow, numpy and
onnxruntime all let go of the interpreter's lock. Verdicts are produced in batches, and the offsets of a batch are
committed once the broker has confirmed all of its verdicts.

Its one argument is JSON; bench/python-peer.ts writes it.
"""

import base64
import io
import json
import os
import signal
import sys
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime as ort
from confluent_kafka import Consumer, Message, Producer, TopicPartition
from PIL import Image, ImageOps

BATCH = 16
# Batches that are decoded or wait while one is inferred.
AHEAD = 3
CONSUME_TIMEOUT_S = 0.05


class Preprocessing:
    """Pixels as the model's own preprocessor_config.json asks for them."""

    def __init__(self, folder: Path) -> None:
        config = json.loads((folder / "preprocessor_config.json").read_text())
        self.shortest_edge: int = config["size"]["shortest_edge"]
        self.height: int = config["crop_size"]["height"]
        self.width: int = config["crop_size"]["width"]
        self.resample = Image.Resampling(config["resample"])
        mean = np.asarray(config["image_mean"], np.float32)
        std = np.asarray(config["image_std"], np.float32)
        self.scale = (np.float32(config["rescale_factor"]) / std).reshape(3, 1, 1)
        self.shift = (-mean / std).reshape(3, 1, 1)

    def __call__(self, encoded: bytes) -> np.ndarray:
        """float32 [3, height, width]."""
        image = ImageOps.exif_transpose(Image.open(io.BytesIO(encoded))).convert("RGB")
        width, height = image.size
        if width <= height:
            size = (self.shortest_edge, int(self.shortest_edge * height / width))
        else:
            size = (int(self.shortest_edge * width / height), self.shortest_edge)
        image = image.resize(size, self.resample)
        left, top = (size[0] - self.width) // 2, (size[1] - self.height) // 2
        image = image.crop((left, top, left + self.width, top + self.height))
        planes = np.asarray(image).transpose(2, 0, 1).astype(np.float32)
        planes *= self.scale
        planes += self.shift
        return planes


class Scorer:
    """Softmax over each policy's prompts, its contrast and the neutral prompts, for a whole batch at once."""

    def __init__(self, file: Path) -> None:
        bundle = json.loads(file.read_text())
        matrix = np.frombuffer(base64.b64decode(bundle["matrix"]), np.float32)
        self.prompts = matrix.reshape(-1, bundle["dimensions"]).T.copy()
        self.logit_scale: float = bundle["logitScale"]
        self.policies = bundle["policies"]

    def __call__(self, embeddings: np.ndarray) -> list[list[dict]]:
        """One list for each image, one result in it for each policy."""
        unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
        cosines = unit @ self.prompts
        results: list[list[dict]] = [[] for _ in embeddings]
        for policy in self.policies:
            own, rivals = policy["prompts"], policy["rivals"]
            logits = self.logit_scale * cosines[:, own + rivals]
            masses = np.exp(logits - logits.max(axis=1, keepdims=True))
            scores = masses[:, : len(own)].sum(axis=1) / masses.sum(axis=1)
            for of_image, score, best in zip(results, scores, cosines[:, own].argmax(axis=1)):
                of_image.append(self._result(policy, float(score), int(best)))
        return results

    @staticmethod
    def _result(policy: dict, score: float, best: int) -> dict:
        review, block = policy["review"], policy["block"]
        band = "block" if block is not None and score >= block else "review" if score >= review else "allow"
        prompt = policy["texts"][best]
        return {"id": policy["id"], "mode": policy["mode"], "score": score, "band": band, "prompt": prompt}


class Inspector:
    """Records in, the JSON of their verdicts out."""

    def __init__(self, settings: dict, cores: int) -> None:
        folder = Path(settings["model"])
        self.preprocess = Preprocessing(folder)
        self.score = Scorer(Path(settings["prompts"]))
        options = ort.SessionOptions()
        options.intra_op_num_threads = cores
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
        # Threads that wait by spinning would take the cores from the decoders.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.session = ort.InferenceSession(folder / "onnx/vision_model.onnx", options, ["CPUExecutionProvider"])
        shape = (BATCH, 3, self.preprocess.height, self.preprocess.width)
        self.pixels = np.empty(shape, np.float32)

    def decode(self, record: Message) -> tuple[str, np.ndarray | None]:
        event = json.loads(record.value())
        try:
            return event["eventId"], self.preprocess(base64.b64decode(event["image"]["bytes"]))
        except (OSError, ValueError, Image.DecompressionBombError):
            return event["eventId"], None

    def infer(self, decoding: list["Future[tuple[str, np.ndarray | None]]"]) -> list[bytes]:
        decoded = [image.result() for image in decoding]
        good = [pixels for _, pixels in decoded if pixels is not None]
        results = iter(())
        if good:
            batch = np.stack(good, out=self.pixels[: len(good)])
            (embeddings,) = self.session.run(["image_embeds"], {"pixel_values": batch})
            results = iter(self.score(embeddings))
        return [verdict(event_id, None if pixels is None else next(results)) for event_id, pixels in decoded]


def verdict(event_id: str, policies: list[dict] | None) -> bytes:
    if policies is None:
        return json.dumps({"eventId": event_id, "outcome": "not_inspected", "policies": []}).encode()
    bands = {policy["band"] for policy in policies if policy["mode"] == "enforce"}
    outcome = next((band for band in ("block", "review") if band in bands), "allow")
    return json.dumps({"eventId": event_id, "outcome": outcome, "policies": policies}).encode()


class Delivery:
    """Produces the verdicts of a batch, waits until all are confirmed, then commits the batch's offsets."""

    def __init__(self, consumer: Consumer, settings: dict) -> None:
        self.consumer = consumer
        self.topic: str = settings["output"]
        self.producer = Producer(
            {"bootstrap.servers": ",".join(settings["brokers"]), "enable.idempotence": True, "linger.ms": 5}
        )
        self.failure: object = None

    def _delivered(self, error: object, _: Message) -> None:
        self.failure = self.failure or error

    def finish(self, records: list[Message], verdicts: list[bytes]) -> None:
        for record, value in zip(records, verdicts):
            self.producer.produce(self.topic, value, record.key(), on_delivery=self._delivered)
        self.producer.flush()
        if self.failure is not None:
            raise RuntimeError(f"a verdict was not delivered: {self.failure}")
        ends: dict[int, int] = {}
        for record in records:
            ends[record.partition()] = record.offset() + 1
        topic = records[0].topic()
        self.consumer.commit(offsets=[TopicPartition(topic, p, end) for p, end in ends.items()], asynchronous=True)


def main() -> None:
    settings = json.loads(sys.argv[1])
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    stopping = False

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    inspector = Inspector(settings, cores)
    consumer = Consumer(
        {
            "bootstrap.servers": ",".join(settings["brokers"]),
            "group.id": settings["groupId"],
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    consumer.subscribe([settings["input"]])
    delivery = Delivery(consumer, settings)
    ahead: deque[tuple[list[Message], "Future[list[bytes]]"]] = deque()
    with ThreadPoolExecutor(cores) as decoders, ThreadPoolExecutor(1) as encoder:
        while not stopping:
            records = consumer.consume(BATCH, CONSUME_TIMEOUT_S)
            for record in records:
                if record.error():
                    raise RuntimeError(f"consuming: {record.error()}")
            if records:
                decoding = [decoders.submit(inspector.decode, record) for record in records]
                ahead.append((records, encoder.submit(inspector.infer, decoding)))
            while ahead and (len(ahead) > AHEAD or ahead[0][1].done() or not records):
                taken, inferred = ahead.popleft()
                delivery.finish(taken, inferred.result())
    consumer.close()


if __name__ == "__main__":
    main()
