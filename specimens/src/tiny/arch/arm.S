/* Entry point and system call (ARM state, called from Thumb through interworking): ARM EABI. */
    .syntax unified
    .arm
    .text
    .align 2
    .globl _start
    .type _start, %function
_start:
    mov fp, #0
    mov lr, #0
    mov r0, sp
    bic r1, r0, #7
    mov sp, r1
    bl tiny_start

    .globl tiny_syscall
    .type tiny_syscall, %function
tiny_syscall:
    push {r4, r5, r7, lr}
    mov r7, r0
    mov r0, r1
    mov r1, r2
    mov r2, r3
    ldr r3, [sp, #16]
    ldr r4, [sp, #20]
    ldr r5, [sp, #24]
    svc #0
    pop {r4, r5, r7, pc}

/* libgcc's division is compiled with unwind information that names this routine. */
    .globl __aeabi_unwind_cpp_pr0
    .type __aeabi_unwind_cpp_pr0, %function
    .weak __aeabi_unwind_cpp_pr0
__aeabi_unwind_cpp_pr0:
    bx lr

    .section .note.GNU-stack, "", %progbits
