/* Entry point and system call (five arguments are enough: sockets go through socketcall): i386. */
    .text
    .globl _start
    .type _start, @function
_start:
    xor %ebp, %ebp
    mov %esp, %eax
    and $-16, %esp
    sub $12, %esp
    push %eax
    call tiny_start
    hlt

    .globl tiny_syscall
    .type tiny_syscall, @function
tiny_syscall:
    push %ebx
    push %esi
    push %edi
    mov 16(%esp), %eax
    mov 20(%esp), %ebx
    mov 24(%esp), %ecx
    mov 28(%esp), %edx
    mov 32(%esp), %esi
    mov 36(%esp), %edi
    int $0x80
    pop %edi
    pop %esi
    pop %ebx
    ret

    .globl tiny_signal_return
    .type tiny_signal_return, @function
tiny_signal_return:
    mov $173, %eax
    int $0x80

    .section .note.GNU-stack, "", @progbits
