/** Where a program's files are. */
export interface Folders {
  configDir: string;
  /** Whether the folder was named, and should be there. */
  configDirNamed?: boolean;
  stateDir: string;
  runDir: string;
  pkiDir: string;
  /** Whether the operator named the folder of certificates. */
  pkiDirNamed: boolean;
  /** The absolute path of puppet. */
  puppet?: string;
  certname?: string;
}
