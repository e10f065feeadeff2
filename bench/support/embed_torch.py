"""The peer of embed-speed.ts: the iResNets of iresnet_torch.py in plain PyTorch, float32, over aligned JPEG files read
with OpenCV, as the official inference code reads them. For each line `OUTPUT LIST`, files named one a line in LIST, it
writes their features to OUTPUT and prints the seconds that this took.

With bf16, it is PyTorch at its fastest: autocast to bfloat16, and images and weights in channels_last.

Usage: embed_torch.py iresnet18|iresnet50 BATCH THREADS [bf16]"""
import sys
import time

import cv2
import numpy as np
import torch

from iresnet_torch import network


def main():
    arch, batch, threads = sys.argv[1], *map(int, sys.argv[2:4])
    torch.set_num_threads(threads)
    cv2.setNumThreads(1)
    torch.manual_seed(1)
    model = network(arch).eval()
    fastest = sys.argv[4:] == ['bf16']
    memory = torch.channels_last if fastest else torch.contiguous_format
    model = model.to(memory_format=memory)
    for line in sys.stdin:
        output, listed = line.split()
        with open(listed) as file:
            paths = file.read().split()
        start = time.perf_counter()
        features = []
        with torch.no_grad(), torch.autocast('cpu', torch.bfloat16, enabled=fastest):
            for first in range(0, len(paths), batch):
                faces = np.stack([cv2.imread(path) for path in paths[first:first + batch]])
                images = torch.from_numpy(faces).permute(0, 3, 1, 2).float().div(255).contiguous(memory_format=memory)
                features.append(model(images).float().numpy())
        np.save(output, np.concatenate(features))
        print(time.perf_counter() - start, flush=True)


main()
