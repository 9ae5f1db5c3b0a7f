import { setFlagsFromString } from 'node:v8';

/**
 * Sets what V8 has to know in a process of ours, for all its threads. Before the hot path runs; not in a host's process, which is not ours.
 *
 * `--no-use-osr`: no machine code made for the middle of a loop ("on-stack replacement"). When V8 11 (Node 20) makes code for a function and for
 * the middle of its loop at the same time, and the first is thrown away because something happened for the first time, it keeps the second:
 * from then on every call begins in slow code and changes over in the loop, for good. Of 30 processes that decoded and applied pushes
 * about three ran at half speed for that; without the code, none of 90 did. A server calls its functions again and again and has no use for it.
 *
 * `--heap-growing-percent`: a full collection when the heap, with the buffers it holds, has doubled since the last one. By itself V8 lets one of 75 MiB grow by a tenth: with
 * 5,000 clients, of which 500 did not read, it marked the whole heap twice a second, and each time for 100 to 200 ms everybody waited. The
 * 99th percentile of the way to the others' callbacks was 25 to 60 ms, and is 6.
 */
export function setV8Flags(): void {
  setFlagsFromString('--no-use-osr');
  setFlagsFromString('--heap-growing-percent=100');
}
