/** A setting's name in a configuration and on the command line. */

/** `arcScale` to `arc-scale`; the official `train_list` stays. */
export const flagOf = (key: string): string => key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** `arc-scale` to `arcScale`. */
export const keyOf = (flag: string): string => flag.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
