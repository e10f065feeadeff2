#!/bin/sh
# One machine, or the same line on each of several with --nnodes 2 --rdzv-backend c10d --rdzv-endpoint HOST:29400.
# torchrun 1.13 on Python 3.11, as Debian has it, needs `-r 1 -t 1 --log_dir logs` too.
torchrun --no-python --standalone --nproc-per-node 8 --max-restarts 3 \
  npx magface train --config configs/ms1mv2-iresnet100.yaml --train-list ms1m.list --output r100 \
  --save-steps 1000 --resume
