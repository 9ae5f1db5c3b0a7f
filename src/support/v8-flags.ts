import { setFlagsFromString } from 'node:v8';

/**
 * Sets what V8 has to know in a process of ours, for all its threads. Before the hot path runs; not in a host's process, which is not ours.
 *
 * `--no-use-osr`: no machine code made for the middle of a loop ("on-stack replacement"). When V8 11 (Node 20) makes code for a function and for
 * the middle of its loop at the same time, and the first is thrown away because something happened for the first time, it keeps the second:
 * from then on every call begins in slow code and changes over in the loop, for good. Of 30 processes that decoded and applied pushes
 * about three ran at half speed for that; without the code, none of 90 did. A server calls its functions again and again and has no use for it.
 */
export function setV8Flags(): void {
  setFlagsFromString('--no-use-osr');
}
