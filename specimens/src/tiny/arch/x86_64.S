/* Entry point, system call and signal return: x86-64. */
    .text
    .globl _start
    .type _start, @function
_start:
    xor %ebp, %ebp
    mov %rsp, %rdi
    and $-16, %rsp
    call tiny_start
    hlt

    .globl tiny_syscall
    .type tiny_syscall, @function
tiny_syscall:
    mov %rdi, %rax
    mov %rsi, %rdi
    mov %rdx, %rsi
    mov %rcx, %rdx
    mov %r8, %r10
    mov %r9, %r8
    mov 8(%rsp), %r9
    syscall
    ret

    .globl tiny_signal_return
    .type tiny_signal_return, @function
tiny_signal_return:
    mov $15, %eax
    syscall

    .section .note.GNU-stack, "", @progbits
