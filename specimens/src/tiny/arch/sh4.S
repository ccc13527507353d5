/* Entry point and system call: SuperH. Six arguments, hence trap 0x16. */
    .text
    .align 2
    .globl _start
    .type _start, @function
_start:
    mov #0, r14
    mov r15, r4
    mov.l 1f, r0
    jsr @r0
    nop
    .align 2
1:  .long tiny_start

    .globl tiny_syscall
    .type tiny_syscall, @function
tiny_syscall:
    mov r4, r3
    mov r5, r4
    mov r6, r5
    mov r7, r6
    mov.l @r15, r7
    mov.l @(4, r15), r0
    mov.l @(8, r15), r1
    trapa #0x16
    or r0, r0
    or r0, r0
    or r0, r0
    or r0, r0
    or r0, r0
    rts
    nop

    .section .note.GNU-stack, "", @progbits
