"""The folder ``runtime`` beside this file has the files of onnxruntime-web that exported pages load."""
