/* Entry point and system call, in instructions that ColdFire has too: m68k. */
    .text
    .align 2
    .globl _start
    .type _start, @function
_start:
    move.l %sp, %a0
    move.l #0, %d0
    move.l %d0, %a6
    move.l %a0, -(%sp)
    jsr tiny_start

    .globl tiny_syscall
    .type tiny_syscall, @function
tiny_syscall:
    lea -16(%sp), %sp
    movem.l %d2-%d5, (%sp)
    move.l 20(%sp), %d0
    move.l 24(%sp), %d1
    move.l 28(%sp), %d2
    move.l 32(%sp), %d3
    move.l 36(%sp), %d4
    move.l 40(%sp), %d5
    move.l 44(%sp), %a0
    trap #0
    movem.l (%sp), %d2-%d5
    lea 16(%sp), %sp
    rts

    .section .note.GNU-stack, "", @progbits
