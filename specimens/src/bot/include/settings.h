/* Names of the choices that a generated config.h makes. */
#ifndef SETTINGS_H
#define SETTINGS_H

/* STRINGS_FROM: where texts live. */
#define STRINGS_TABLE 1 /* filled by table_init, unlocked and locked by id */
#define STRINGS_LOOSE 2 /* encoded globals, decoded in place where they are used */
#define STRINGS_IMAGE 3 /* every text of the file encoded, decoded into a scratch buffer */
#define STRINGS_STACK 4 /* built on the stack where they are used */

/* TABLE_FORM: how a program with STRINGS_TABLE keeps and fills its table. */
#define FORM_CALLS 1   /* one call for each entry, decoded in place */
#define FORM_LOOP 2    /* a loop over constant records; decoded in place, the key is an argument */
#define FORM_STATIC 3  /* constant arrays, never filled; decoded by id into a buffer */
#define FORM_OBJECT 4  /* an object on the heap, to which several routines add entries */
#define FORM_CIPHER 5  /* under the cipher of cipher.c, decoded as STYLE_DECODE says */
#define FORM_OWN_KEYS 6 /* every entry under a key byte beside it */
#define FORM_BLOCK 7   /* one coded block, decoded as a whole; ids are offsets */
#define FORM_SLOTS 8   /* slots of one size; decoded by number into a buffer */

/* CIPHER: what cipher.c decodes. */
#define CIPHER_XOR_CYCLIC 1
#define CIPHER_RC4 2
#define CIPHER_RC4_CARRIED 3
#define CIPHER_RC4_PASSES 4
#define CIPHER_CHACHA20 5
#define CIPHER_XTEA 6
#define CIPHER_XXTEA 7
#define CIPHER_AES 8
#define CIPHER_SUBSTITUTION 9
#define CIPHER_ALPHABET 10
#define CIPHER_ROT_XOR 11
#define CIPHER_HEX 12

/* STYLE_DECODE: when a table under CIPHER is decoded. */
#define DECODE_IN_PLACE 1 /* while it is used */
#define DECODE_ON_ADD 2   /* when it is added, for good */
#define DECODE_ON_GET 3   /* when it is asked for, into a buffer; nothing fills the table */

/* STYLE_STACK: how texts are built on the stack. */
#define STACK_BYTES 1
#define STACK_WORDS 2

/* C2_FROM: how the connect routine learns its address. */
#define C2_TABLE 1
#define C2_NAME 2       /* plain name in the code, resolved */
#define C2_DOTTED 3     /* plain dotted quad in the code */
#define C2_IMMEDIATE 4  /* 32-bit constant stored in the resolve function */
#define C2_MAIN 5       /* the same, stored by main over the decoy */
#define C2_MANY_TABLE 6
#define C2_MANY_DOTTED 7
#define C2_MANY_IMMEDIATE 8
#define C2_ARGUMENT 9   /* argv[1] */
#define C2_IPV6_BYTES 10
#define C2_IPV6_TEXT 11
#define C2_IPV6_TABLE 12
#define C2_TXT 13             /* a TXT record; C2_TRANSFORM says how it is written */
#define C2_RECORD 14          /* an address record, changed by C2_TRANSFORM */
#define C2_NEXT_TABLE 15      /* several, the next one after a failure */
#define C2_NEXT_DOTTED 16
#define C2_NEXT_IMMEDIATE 17
#define C2_DEAD_DROP 18       /* what a name server answers over HTTPS */
#define C2_OVER_IPV6 (C2_FROM >= C2_IPV6_BYTES && C2_FROM <= C2_IPV6_TABLE)

/* C2_TRANSFORM: what is done to the answer. */
#define TRANSFORM_NONE 1
#define TRANSFORM_BASE64 2
#define TRANSFORM_XOR 3
#define TRANSFORM_HALVES 4

/* REACH_GATE: what must happen before the true C2 is resolved. Programs with it do not give up. */
#define REACH_DIRECT 1 /* nothing */
#define REACH_TRAP 2   /* the trap, under the own name */
#define REACH_NAME 3   /* the own name, which is a text of the table */

/* C2_PORT_FROM */
#define PORT_CONSTANT 1
#define PORT_TABLE 2

/* DISPATCH: how an attack is chosen. */
#define DISPATCH_REGISTRY 1
#define DISPATCH_SWITCH 2
#define DISPATCH_TEXT 3

/* STYLE_ADD_ENTRY */
#define ADD_FUNCTION 1
#define ADD_MACRO 2

/* STYLE_KEY */
#define KEY_WORD 1   /* a 32-bit global */
#define KEY_BYTES 2  /* four bytes in a global */
#define KEY_FOLDED 3 /* one immediate */

/* STYLE_RECORD: order of the fields of a table record. */
#define RECORD_VALUE_FIRST 1
#define RECORD_LENGTH_FIRST 2
#define RECORD_DEBUG 3 /* value, length, locked */

/* LOGINS_FROM: how the scanner comes to its credentials. */
#define LOGINS_CALLS 1  /* one call for each pair */
#define LOGINS_LOOP 2   /* a loop over constant records; the key is an argument */
#define LOGINS_PACKED 3 /* one block of bytes, walked by its length bytes */
#define LOGINS_OBJECT 4 /* an object, to which several routines add pairs */
#define LOGINS_CIPHER 5 /* one call for each pair, under CIPHER */
#define LOGINS_OWN_KEYS 6 /* one call for each pair, with its key */
#define LOGINS_STACK 7  /* one call for each pair, built on the stack */

/* STYLE_LINKAGE */
#define LINKAGE_GLOBAL 1
#define LINKAGE_STATIC 2

/* STYLE_GATE: what happens only under the expected argv[0]. */
#define GATE_TRAP 1  /* the trap */
#define GATE_TABLE 2 /* the trap and the filling of the table */

/* STYLE_COPY */
#define COPY_OWN 1
#define COPY_LIBRARY 2

#endif
