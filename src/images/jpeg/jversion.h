/* What configuring libjpeg-turbo would write; the codec shows no version. */
#define JVERSION "8d"
#define JCOPYRIGHT1 ""
#define JCOPYRIGHT2 ""
#define JCOPYRIGHT_SHORT ""
