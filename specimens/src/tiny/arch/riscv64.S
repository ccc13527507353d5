/* Entry point and system call: RISC-V 64. */
    .text
    .globl _start
    .type _start, @function
_start:
    .option push
    .option norelax
    lla gp, __global_pointer$
    .option pop
    li s0, 0
    mv a0, sp
    andi sp, sp, -16
    call tiny_start

    .globl tiny_syscall
    .type tiny_syscall, @function
tiny_syscall:
    mv a7, a0
    mv a0, a1
    mv a1, a2
    mv a2, a3
    mv a3, a4
    mv a4, a5
    mv a5, a6
    ecall
    ret

    .section .note.GNU-stack, "", @progbits
