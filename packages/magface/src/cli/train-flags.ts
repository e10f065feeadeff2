/** The flags of `magface train`: ours, and the official ones under their own names. */
import { type Command, Option } from 'commander';

/** Name of the flag with its value, what it says, and the official spelling where that differs. */
type Flag = readonly [flag: string, says: string, official?: string];

const groups: Readonly<Record<string, readonly Flag[]>> = {
  'Data:': [
    [
      'train-list <source...>',
      'lists (`imgname 0 id 0`), folders with a folder a person, train.rec, or tar shards (shards-{000..012}.tar); several are joined',
      'train_list <file>',
    ],
    ['root <dir>', 'folder that listed paths are relative to (default: current, else the list’s)'],
    ['last-fc-size <n>', 'classes (default: the greatest label plus 1)'],
    ['-b, --batch-size <n>', 'images a step (default: 512)'],
    ['-j, --workers <n>', 'threads that decode (default: one a core, at most 4)'],
  ],
  'Model:': [
    [
      'arch <name>',
      'iresnet18, iresnet34, iresnet50, iresnet100, mobilefacenet or mobilefacenet-relu6 (default: iresnet100)',
    ],
    ['embedding-size <n>', 'length of the feature (default: 512)'],
    ['init <model>', 'what to finetune: an official .pth, a checkpoint of ours, or an ONNX recogniser of any make'],
    ['dropout <share>', 'channels zeroed before the last layer (default: 0.4)'],
  ],
  'Loss:': [
    ['margin <kind>', 'angular (Mag-ArcFace) or cosine (Mag-CosFace) (default: angular)', 'arc <0|1>'],
    ['lower-magnitude <a>', 'l_a (default: 10)', 'l_a <a>'],
    ['upper-magnitude <a>', 'u_a (default: 110)', 'u_a <a>'],
    ['lower-margin <m>', 'l_m (default: 0.45)', 'l_margin <m>'],
    ['upper-margin <m>', 'u_m (default: 0.8)', 'u_margin <m>'],
    ['lambda-g <x>', 'λ_g, the pull toward large magnitudes (default: 35)', 'lambda_g <x>'],
    ['scale <s>', 's (default: 64)', 'arc-scale <s>'],
    ['easy-margin <bool>', 'margin only below 90° (default: true)'],
  ],
  'Finetuning an ONNX model:': [
    ['train-last <n>', 'only the last so many convolutions and linear layers (default: all)'],
    ['freeze <prefix...>', 'leave weights and nodes whose names begin so as they are'],
    [
      'recipe <kind>',
      'auto: l_a, u_a, margins and λ_g from the magnitudes it has (default, unless one of them is given)',
    ],
    ['centers <kind>', 'class centers start at mean features, or random (default: mean)'],
    ['keep-weight <x>', 'staying near the directions it has (default: 50)'],
    ['quality-weight <x>', 'magnitudes telling how recognisable a face is (default: 50)'],
    ['degrade <share>', 'faces shown damaged (default: 0.5)'],
    ['degrade-strength <s>', 'of the worst damage, 0 to 1 (default: 1)'],
    ['degrade-kinds <kind...>', 'blur, noise, downscaling, darkness, occlusion, rotation, jpeg (default: all)'],
    ['views <n>', 'a face is kept in: itself, mirrored, and damaged ones (default: 6)'],
    ['front-cache <dir>', 'keep what the frozen front made of the faces, for other runs on them'],
    ['clip <x>', 'longest gradient (default: 5)'],
    ['layer-decay <x>', 'learning rate of each layer over that of the one behind it (default: 1)'],
    ['fresh-batch-norm [bool]', 'BatchNorm behind convolutions into which their own was folded, for the training'],
    ['average-last <share>', 'of the steps, whose weights are averaged at the end (default: 0)'],
  ],
  'Schedule:': [
    ['epochs <n>', 'length of the run (default: 25)'],
    ['lr <x>', 'learning rate (default: 0.1)', 'learning-rate <x>'],
    ['momentum <x>', 'of SGD (default: 0.9)'],
    ['weight-decay <x>', 'of SGD, on every parameter (default: 5e-4)', 'wd <x>'],
    ['schedule <kind>', 'drops, cosine or polynomial (default: drops)'],
    ['lr-drop-epoch <n...>', 'epochs, from 0, at which the rate drops (default: 10 18 22)'],
    ['lr-drop-ratio <x>', 'what it is multiplied with (default: 0.1)'],
    ['warmup-epochs <x>', 'epochs over which it rises (default: 0)'],
    ['power <x>', 'of the polynomial schedule (default: 2)'],
    ['max-steps <n>', 'stop after so many steps'],
  ],
  'Machine:': [
    ['precision <kind>', 'fp32 or bf16; fp16 on GPUs alone (default: fp32)', 'fp16 <0|1>'],
    ['device <name>', 'cpu, cuda, or cuda:N (default: cpu)'],
    ['fused <bool>', 'run BatchNorm together with what follows it (default: true)'],
    ['threads <n>', 'threads of libtorch (default: all cores)'],
    ['cache-memory <MiB>', 'freed memory kept for the next step (default: 4096)'],
    ['seed <n>', 'of weights, order, flips and dropout (default: 1)'],
    ['flip <bool>', 'mirror half of the images (default: true)'],
  ],
  'Several processes:': [
    ['sample-rate <share>', 'class centers that take part in a step: Partial FC (default: 1)'],
    ['sync-batch-norm <bool>', 'BatchNorm over the batch of all processes (default: true)'],
    ['collective-timeout <s>', 'seconds that a process waits for the slowest (default: 600)'],
  ],
  'Writing:': [
    ['output <dir>', 'folder for checkpoints, metrics and report.html', 'pth-save-fold <dir>'],
    ['-p, --print-freq <n>', 'steps between rows of metrics (default: 100)'],
    ['save-epochs <n>', 'epochs between checkpoints (default: 1)', 'pth-save-epoch <n>'],
    ['save-steps <n>', 'steps between checkpoints within an epoch'],
    ['keep <n>', 'checkpoints kept (default: all)'],
    ['eval-pairs <file>', 'pairs to validate on; the best model is kept'],
    ['eval-root <dir>', 'folder that their names are relative to'],
    ['eval-epochs <n>', 'epochs between validations (default: 1)'],
  ],
};

/** Adds every setting as a flag. Official spellings work beside ours and are named in the help. */
export function addTrainFlags(command: Command): Command {
  for (const [title, flags] of Object.entries(groups)) {
    command.optionsGroup(title);
    for (const [flag, says, official] of flags) {
      command.option(
        flag.startsWith('-') ? flag : `--${flag}`,
        official === undefined ? says : `${says}; also --${official}`,
      );
      if (official !== undefined) command.addOption(new Option(`--${official}`).hideHelp());
    }
  }
  // Said so that the official command lines run unchanged: the report always has that picture, and resuming knows where it is.
  return command
    .addOption(new Option('--vis_mag <0|1>').hideHelp())
    .addOption(new Option('--start-epoch <n>').hideHelp());
}
