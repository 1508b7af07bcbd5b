/**
 * Imported for its effect: `t.testdir()` gets a place of this process. tap names the directory after the file and the test alone, so
 * that two runs of a file in one checkout would remove each other's.
 */
import t from 'tap';

t.testdirName = `${t.testdirName}-${process.pid}`;
