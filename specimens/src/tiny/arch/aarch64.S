/* Entry point and system call: AArch64. */
    .text
    .align 2
    .globl _start
    .type _start, %function
_start:
    mov x29, #0
    mov x30, #0
    mov x0, sp
    and sp, x0, #-16
    bl tiny_start

    .globl tiny_syscall
    .type tiny_syscall, %function
tiny_syscall:
    mov x8, x0
    mov x0, x1
    mov x1, x2
    mov x2, x3
    mov x3, x4
    mov x4, x5
    mov x5, x6
    svc #0
    ret

    .section .note.GNU-stack, "", %progbits
