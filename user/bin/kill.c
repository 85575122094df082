/* Ends processes. The shell has the same as a command of its own, for when it cannot start
 * this one. */
#include "../lib/killargs.h"

int main(int argc, char *argv[]) { return kill_arguments("kill", argv); }
