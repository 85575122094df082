/* assert: ends the program, as if killed, when a condition does not hold. */
#undef assert
#ifdef NDEBUG
#define assert(cond) ((void)0)
#else
#define assert(cond) ((cond) ? (void)0 : assert_failed(__FILE__, __LINE__, #cond))
#endif
void assert_failed(const char *file, int line, const char *cond) __attribute__((noreturn));
#undef static_assert
#define static_assert _Static_assert
