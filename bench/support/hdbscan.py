"""The peer of people.ts: HDBSCAN of scikit-learn over cosine distances. Reads JSON, `{"file", "dimension", "settings"}`: a file
of (N, D) float32 without a header, and a list of settings; writes a JSON list with N labels for each setting, -1 for a face
alone.

Usage: hdbscan.py < JSON"""
import json
import sys

import numpy as np
from sklearn.cluster import HDBSCAN


def main():
    asked = json.load(sys.stdin)
    rows = np.fromfile(asked["file"], "<f4").reshape(-1, asked["dimension"]).astype(np.float64)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    distances = np.clip(1 - rows @ rows.T, 0, 2)
    found = [HDBSCAN(metric="precomputed", copy=True, **one).fit(distances).labels_ for one in asked["settings"]]
    json.dump([labels.tolist() for labels in found], sys.stdout)


main()
