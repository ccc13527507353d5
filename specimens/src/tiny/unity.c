/* The tiny C library as one translation unit. */
#include "memory.c"
#include "sockets.c"
#include "strings.c"
#include "system.c"
