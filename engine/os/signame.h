// Names of signals, without SIG.
#pragma once

#define SIGNAME_SIZE 24

// `INT`, `RTMIN+3`, or the number where it has no name; written into `buffer` when it isn't a
// constant.
const char *signame(int signo, char buffer[static SIGNAME_SIZE]);
// The number of `INT`, `SIGINT` or `RTMIN+3`; 0 when there is no such signal.
int signame_number(const char *name);
