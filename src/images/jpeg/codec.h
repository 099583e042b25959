/* Ends the call: the host throws. The instance is not to be used again. */
__attribute__((import_module("host"), import_name("refuse"), noreturn)) void refuse(int reason);
