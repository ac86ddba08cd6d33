#!/usr/bin/env python3
"""Writes what a model in a folder must answer, computed by onnxruntime: check_model.py FOLDER [--times N]

FOLDER is one that take_model.py made. It gets a `vectors.json`, with which the test `a_real_model_answers_what_others_computed`
compares what Confab computes, once CONFAB_TEST_MODEL_DIR names the folder. The word pieces come from the package `tokenizers`,
the sum from a graph for `onnxruntime` that is put together here: no code of Confab's. With `--times N` it says how long the
texts take there, N times over, on one processor.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from tokenizers import BertWordPieceTokenizer

from check_vectors import TEXTS
from take_model import tables

LONGEST = 256
# Besides those of check_vectors.py: what people write, and a text that is cut.
MORE = [
    "how do I restart the web server",
    "ada: reboot apache after you changed the vhost, then look into /var/log/apache2/error.log",
    "Does anybody know why my sound stopped working after the upgrade? It worked before, and I did not change anything.",
    "the ferry leaves the harbour at nine " * 60,
]


class Graph:
    """An ONNX graph, one node after the other."""

    def __init__(self, folder: Path):
        self.config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        self.weights = {name: numbers.reshape(shape) for name, (shape, numbers) in tables(folder / "model.safetensors").items()}
        self.nodes, self.constants = [], {}

    def constant(self, name: str, value: np.ndarray) -> str:
        self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def node(self, kind: str, *inputs: str, **attributes) -> str:
        name = f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def linear(self, rows: str, name: str) -> str:
        weight = self.constant(f"{name}.weight", self.weights[f"{name}.weight"].T)
        return self.node("Add", self.node("MatMul", rows, weight), self.constant(f"{name}.bias", self.weights[f"{name}.bias"]))

    def norm(self, rows: str, name: str) -> str:
        parts = [self.constant(f"{name}.{it}", self.weights[f"{name}.{it}"]) for it in ("weight", "bias")]
        return self.node("LayerNormalization", rows, *parts, axis=-1, epsilon=float(self.config["layer_norm_eps"]))

    def attention(self, rows: str, name: str) -> str:
        heads, width = self.config["num_attention_heads"], self.config["hidden_size"]
        apart = self.constant("apart", np.array([-1, heads, width // heads], np.int64))
        together = self.constant("together", np.array([-1, width], np.int64))
        split = lambda part: self.node("Reshape", self.linear(rows, f"{name}.self.{part}"), apart)
        query, value = (self.node("Transpose", split(it), perm=[1, 0, 2]) for it in ("query", "value"))
        key = self.node("Transpose", split("key"), perm=[1, 2, 0])
        scale = self.constant("scale", np.array((width // heads) ** -0.5, np.float32))
        shares = self.node("Softmax", self.node("Mul", self.node("MatMul", query, key), scale), axis=-1)
        seen = self.node("Transpose", self.node("MatMul", shares, value), perm=[1, 0, 2])
        return self.linear(self.node("Reshape", seen, together), f"{name}.output.dense")

    def gelu(self, rows: str) -> str:
        root, one, half = (self.constant(f"c{it}", np.array(it, np.float32)) for it in (2**0.5, 1.0, 0.5))
        raised = self.node("Add", self.node("Erf", self.node("Div", rows, root)), one)
        return self.node("Mul", self.node("Mul", rows, half), raised)

    def session(self) -> onnxruntime.InferenceSession:
        """From the numbers of a text's pieces to the mean of what becomes of them."""
        table = lambda kind: self.weights[f"embeddings.{kind}_embeddings.weight"]
        words = self.node("Gather", self.constant("words", table("word")), "pieces")
        places = self.node("Gather", self.constant("places", table("position") + table("token_type")[0]), "order")
        rows = self.norm(self.node("Add", words, places), "embeddings.LayerNorm")
        for at in range(self.config["num_hidden_layers"]):
            name = f"encoder.layer.{at}"
            rows = self.norm(self.node("Add", self.attention(rows, f"{name}.attention"), rows), f"{name}.attention.output.LayerNorm")
            inner = self.gelu(self.linear(rows, f"{name}.intermediate.dense"))
            rows = self.norm(self.node("Add", self.linear(inner, f"{name}.output.dense"), rows), f"{name}.output.LayerNorm")
        self.nodes.append(helper.make_node("ReduceMean", [rows, self.constant("first", np.array([0], np.int64))], ["mean"], keepdims=0))
        inputs = [helper.make_tensor_value_info(it, TensorProto.INT64, ["count"]) for it in ("pieces", "order")]
        output = helper.make_tensor_value_info("mean", TensorProto.FLOAT, [self.config["hidden_size"]])
        graph = helper.make_graph(self.nodes, "bert", inputs, [output], list(self.constants.values()))
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def main(folder: Path, times: int) -> None:
    graph = Graph(folder)
    session = graph.session()
    tokenizer = BertWordPieceTokenizer(str(folder / "vocab.txt"), lowercase=True)
    # What people write is never a control piece.
    tokenizer._tokenizer.encode_special_tokens = True
    tokenizer.enable_truncation(min(LONGEST, graph.config["max_position_embeddings"]))
    texts = TEXTS + MORE
    found = [np.array(tokenizer.encode(text).ids, np.int64) for text in texts]
    answer = lambda ids: session.run(None, {"pieces": ids, "order": np.arange(len(ids))})[0]
    lines = []
    for text, ids in zip(texts, found):
        vector = answer(ids)
        vector /= np.linalg.norm(vector)
        lines.append(json.dumps({"text": text, "pieces": ids.tolist(), "vector": [round(float(it), 6) for it in vector]}))
    (folder / "vectors.json").write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")
    print(f"{len(texts)} texts of {sum(map(len, found)) / len(found):.0f} pieces")
    if times:
        started = time.process_time()
        for _ in range(times):
            for ids in found:
                answer(ids)
        print(f"{(time.process_time() - started) / times / len(found) * 1000:.1f} ms of a processor each")


if __name__ == "__main__":
    arguments = sys.argv[1:]
    count = 0
    if "--times" in arguments:
        at = arguments.index("--times")
        count = int(arguments[at + 1])
        del arguments[at : at + 2]
    if len(arguments) != 1:
        raise SystemExit(__doc__.splitlines()[0])
    main(Path(arguments[0]), count)
