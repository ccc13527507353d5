/* Entry point, system call and fork: 32-bit SPARC. Errors set the carry; fork tells the child in %o1. */
    .text
    .align 4
    .globl _start
    .type _start, #function
_start:
    mov 0, %fp
    add %sp, 64, %o0
    sub %sp, 96, %sp
    call tiny_start
    nop

    .globl tiny_syscall
    .type tiny_syscall, #function
tiny_syscall:
    mov %o0, %g1
    mov %o1, %o0
    mov %o2, %o1
    mov %o3, %o2
    mov %o4, %o3
    mov %o5, %o4
    ld [%sp + 92], %o5
    ta 0x10
    bcc 1f
    nop
    sub %g0, %o0, %o0
1:
    retl
    nop

    .globl tiny_fork
    .type tiny_fork, #function
tiny_fork:
    mov 2, %g1
    ta 0x10
    bcc 1f
    nop
    retl
    mov -1, %o0
1:
    sub %o1, 1, %o1
    retl
    and %o0, %o1, %o0

    .globl tiny_signal_return
    .type tiny_signal_return, #function
    nop
    nop
tiny_signal_return:
    mov 101, %g1
    ta 0x10

    .section .note.GNU-stack, "", @progbits
