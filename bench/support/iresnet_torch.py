"""The peer of training-speed.ts and training-memory.ts: an iResNet with the ArcFace-family head in plain PyTorch, float32,
written here for the benchmark with the layers of the official model. For each line `train STEPS` or `infer STEPS` on
stdin it prints the seconds that these took and the MiB that it now holds, and the most that it held.

With bf16, it is PyTorch at its fastest: autocast to bfloat16, and images and weights in channels_last.

Usage: iresnet_torch.py iresnet18|iresnet50 BATCH THREADS [bf16]"""
import resource
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

BLOCKS = {'iresnet18': (2, 2, 2, 2), 'iresnet50': (3, 4, 14, 3)}


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


def network(arch):
    layers, width_in = [nn.Conv2d(3, 64, 3, 1, 1, bias=False), norm(64), nn.PReLU(64)], 64
    for width, blocks in zip((64, 128, 256, 512), BLOCKS[arch]):
        for block in range(blocks):
            layers.append(Block(width_in, width, 2 if block == 0 else 1))
            width_in = width
    return nn.Sequential(*layers, norm(512), nn.Dropout2d(0.4), nn.Flatten(), nn.Linear(25088, 512), norm(512, nn.BatchNorm1d))


def resident_mebibytes():
    with open('/proc/self/statm') as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 2**20


def main():
    arch, batch, threads = sys.argv[1], *map(int, sys.argv[2:4])
    fastest = sys.argv[4:] == ['bf16']
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    model, centers = network(arch), nn.Parameter(torch.rand(512, 427) * 2 - 1)
    images, labels = torch.rand(batch, 3, 112, 112), torch.arange(batch) % 427
    if fastest:
        model, images = model.to(memory_format=torch.channels_last), images.contiguous(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD([*model.parameters(), centers], 0.01, 0.9, weight_decay=5e-4)

    def embed():
        with torch.autocast('cpu', torch.bfloat16, enabled=fastest):
            return model(images)

    def train():
        features = embed().float()
        logits = 64 * F.normalize(features) @ F.normalize(centers, dim=0)
        optimizer.zero_grad()
        F.cross_entropy(logits, labels).backward()
        optimizer.step()

    def infer():
        with torch.no_grad():
            embed()

    for line in sys.stdin:
        mode, steps = line.split()
        model.train(mode == 'train')
        start = time.perf_counter()
        for _ in range(int(steps)):
            train() if mode == 'train' else infer()
        seconds = time.perf_counter() - start
        print(seconds, resident_mebibytes(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, flush=True)


if __name__ == '__main__':
    main()
