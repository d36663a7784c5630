/**
 * Commander's classes. It is CommonJS: for an ESM import Node would first read all of it to find its exports, which every
 * start of kick would pay for (docs/performance.md).
 */
import { createRequire } from 'node:module';

const commander = createRequire(import.meta.url)('commander') as typeof import('commander');

export const { Argument, Command, CommanderError, Help, InvalidArgumentError, Option } = commander;

export type Command = import('commander').Command;
export type Help = import('commander').Help;
export type Option = import('commander').Option;
