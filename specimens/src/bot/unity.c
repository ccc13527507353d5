/* The whole program as one translation unit, so that the compiler can inline across modules. */
#include "inert.c"
#ifdef CIPHER
#include "cipher.c"
#endif
#include "table.c"
#include "util.c"
#include "rand.c"
#include "checksum.c"
#include "resolver.c"
#include "killer.c"
#include "scanner.c"
#include "exploit.c"
#include "attack.c"
#include "attack_app.c"
#include "attack_gre.c"
#define fill_headers fill_udp_headers
#define finish finish_udp
#include "attack_udp.c"
#undef finish
#define fill_ip fill_tcp_ip
#define finish finish_tcp
#include "attack_tcp.c"
#if REACH_GATE
#include "reach.c"
#endif
#if MORE_ATTACKS
#include "attack_more.c"
#endif
#include "main.c"
