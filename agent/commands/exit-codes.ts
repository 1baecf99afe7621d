/** What the process ends with, as in sysexits.h, so that a supervisor can tell what would help. */
export const EX_OK = 0;
/** The command line is wrong. */
export const EX_USAGE = 64;
/** A file that was named does not exist or cannot be read. */
export const EX_NOINPUT = 66;
/** Something that the agent needs is not there. */
export const EX_UNAVAILABLE = 69;
/** A defect of the agent. */
export const EX_SOFTWARE = 70;
/** Reading or writing failed. */
export const EX_IOERR = 74;
/** It may work later. */
export const EX_TEMPFAIL = 75;
/** The configuration is wrong. */
export const EX_CONFIG = 78;
