/* Entry point and system call: 32-bit PowerPC. Errors set CR0.SO. */
    .text
    .globl _start
    .type _start, @function
_start:
    mr 3, 1
    rlwinm 1, 1, 0, 0, 27
    li 0, 0
    stwu 0, -16(1)
    mtlr 0
    bl tiny_start
    trap

    .globl tiny_syscall
    .type tiny_syscall, @function
tiny_syscall:
    mr 0, 3
    mr 3, 4
    mr 4, 5
    mr 5, 6
    mr 6, 7
    mr 7, 8
    mr 8, 9
    sc
    bnslr
    neg 3, 3
    blr

    .section .note.GNU-stack, "", @progbits
