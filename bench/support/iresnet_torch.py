"""The comparison of training-speed.ts: iResNet-18 with the ArcFace-family head in plain PyTorch, float32, written here
for the benchmark with the layers of the official model. Prints images per second of processor time.

Usage: iresnet_torch.py train|infer BATCH STEPS THREADS"""
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F


def norm(channels, of=nn.BatchNorm2d):
    return of(channels, eps=2e-5, momentum=0.9)


class Block(nn.Module):
    def __init__(self, width_in, width, stride):
        super().__init__()
        self.body = nn.Sequential(
            norm(width_in), nn.Conv2d(width_in, width, 3, 1, 1, bias=False), norm(width), nn.PReLU(width),
            nn.Conv2d(width, width, 3, stride, 1, bias=False), norm(width))
        same = stride == 1 and width_in == width
        self.short = nn.Identity() if same else nn.Sequential(nn.Conv2d(width_in, width, 1, stride, bias=False), norm(width))

    def forward(self, x):
        return self.body(x) + self.short(x)


def network():
    layers, width_in = [nn.Conv2d(3, 64, 3, 1, 1, bias=False), norm(64), nn.PReLU(64)], 64
    for width in (64, 128, 256, 512):
        layers += [Block(width_in, width, 2), Block(width, width, 1)]
        width_in = width
    return nn.Sequential(*layers, norm(512), nn.Dropout2d(0.4), nn.Flatten(), nn.Linear(25088, 512), norm(512, nn.BatchNorm1d))


def main():
    mode, batch, steps, threads = sys.argv[1], *map(int, sys.argv[2:5])
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    model, centers = network(), nn.Parameter(torch.rand(512, 427) * 2 - 1)
    images, labels = torch.rand(batch, 3, 112, 112), torch.arange(batch) % 427
    optimizer = torch.optim.SGD([*model.parameters(), centers], 0.01, 0.9, weight_decay=5e-4)

    def train():
        features = model(images)
        logits = 64 * F.normalize(features) @ F.normalize(centers, dim=0)
        optimizer.zero_grad()
        F.cross_entropy(logits, labels).backward()
        optimizer.step()

    def infer():
        with torch.no_grad():
            model(images)

    run = train if mode == 'train' else infer
    model.train(mode == 'train')
    run()
    start = time.process_time()
    for _ in range(steps):
        run()
    print(batch * steps / (time.process_time() - start))


main()
