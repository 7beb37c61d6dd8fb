/* URLs that a channel may have, and the many that it may not. */
#include "alerts/delivery/url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

static void urls_that_are_fine(void **state)
{
    (void)state;
    static const char *const fine[] = {
        "https://example.com",
        "https://example.com/",
        "https://example.com:443/a/b?c=d#e",
        "https://example.com:8443/x",
        "HTTPS://EXAMPLE.COM/x",
        "https://a-b.c_d.example.co.uk/hook?x=%20%40",
        "https://93.184.216.34/hook",
        "https://[2606:2800:220:1:248:1893:25c8:1946]/hook",
        "https://1.1.1.1.example.com/",
        "https://xn--bcher-kva.example/",
        "https://example.com/a@b",
        "https://example.com?x=a@b",
        "https://0xabc.example/",
        "https://localhost.example.com/",
        "https://notlocalhost/",
        "https://[::ffff:93.184.216.34]/",
        "https://1.2.3/0x",
    };
    struct why why = { .text = "" };
    for (size_t i = 0; i < ARRAY_LEN(fine); i++)
        if (url_check(fine[i], false, false, &why)) fail_msg("%s: %s", fine[i], why.text);
    assert_int_equal(url_check("http://example.com/", true, false, &why), ERR_OK);
    assert_int_equal(url_check("http://example.com:80/", true, false, &why), ERR_OK);
    static const char *const development[] = { "http://127.0.0.1:8080/x", "http://localhost:3000/x",
                                               "https://[::1]:9/", "http://10.0.0.1/",
                                               "http://2130706433:5/" };
    for (size_t i = 0; i < ARRAY_LEN(development); i++) {
        if (url_check(development[i], true, true, &why))
            fail_msg("%s: %s", development[i], why.text);
        assert_int_equal(url_check(development[i], true, false, &why), ERR_INVALID);
    }
}

static void urls_that_are_refused(void **state)
{
    (void)state;
    static const char *const forms[] = {
        /* not a URL of ours */
        "",
        "https",
        "https:",
        "https:/",
        "https://",
        "https:///",
        "https:///x",
        "https:example.com",
        "https:/example.com",
        "//example.com/",
        "example.com",
        "http://example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "javascript:alert(1)",
        "dict://example.com/",
        "unix:///run/x.sock",
        " https://example.com/",
        "https ://example.com/",
        "https://exa mple.com/",
        "https://example.com/a b",
        "https://example.com/\n",
        "https://example.com/\r\nX-Evil: 1",
        "https://example.com/\t",
        "https://example.com\\@127.0.0.1/",
        "https:\\\\example.com\\",
        "https://b\xC3\xBCx.example/",
        "https://\xEF\xBC\x91\xEF\xBC\x92\xEF\xBC\x97.0.0.1/",
        "https://\xE2\x91\xA0\xE2\x91\xA1\xE2\x91\xA6.0.0.1/",
        "https://example.com/\xFF",
        "https://example.com/\x7F",
        /* user and password */
        "https://user@example.com/",
        "https://user:pass@example.com/",
        "https://@example.com/",
        "https://:@example.com/",
        "https://example.com@127.0.0.1/",
        "https://example.com:443@127.0.0.1/",
        "https://a@b@example.com/",
        /* ports */
        "https://example.com:80/",
        "https://example.com:22/",
        "https://example.com:8080/",
        "https://example.com:0/",
        "https://example.com:65536/",
        "https://example.com:99999999999/",
        "https://example.com:/",
        "https://example.com:-443/",
        "https://example.com:443x/",
        "https://example.com:4 43/",
        "https://example.com:0x1bb/",
        "https://example.com:443:443/",
        "https://:443/",
        /* loopback in every spelling */
        "https://127.0.0.1/",
        "https://127.0.0.1:8443/",
        "https://127.1/",
        "https://127.0.1/",
        "https://127.255.255.254/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7F.1/",
        "https://0x7f.0x0.0x0.0x1/",
        "https://0177.0.0.1/",
        "https://017700000001/",
        "https://0177.1/",
        "https://127.0.0.01/",
        "https://0/",
        "https://0.0.0.0/",
        "https://0x0/",
        "https://00000000000000000000000000000000000177.0.0.1/",
        "https://127.0.0.1./",
        "https://127.1./",
        "https://0x7f.1./",
        "https://2130706433./",
        "https://%31%32%37.0.0.1/",
        "https://127%2e0%2e0%2e1/",
        "https://%6c%6f%63%61%6c%68%6f%73%74/",
        "https://localhost/",
        "https://LOCALHOST/",
        "https://localhost./",
        "https://a.localhost/",
        "https://localhost:443/",
        "https://[::1]/",
        "https://[0:0:0:0:0:0:0:1]/",
        "https://[::]/",
        "https://[0000::0001]/",
        "https://[::127.0.0.1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:7f00:1]/",
        "https://[::FFFF:7F00:0001]/",
        "https://[0:0:0:0:0:ffff:127.0.0.1]/",
        "https://[::ffff:0:127.0.0.1]/",
        "https://[64:ff9b::127.0.0.1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[64:ff9b:1::7f00:1]/",
        "https://[2002:7f00:1::]/",
        "https://[2001::1]/",
        "https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/",
        "https://[fe80::1%25eth0]/",
        "https://[fe80::1%eth0]/",
        "https://[fe80::1]/",
        "https://[fc00::1]/",
        "https://[fec0::1]/",
        "https://[ff02::1]/",
        "https://[::1",
        "https://::1/",
        "https://[::1]x/",
        "https://[127.0.0.1]/",
        "https://[]/",
        "https://[::1%00]/",
        /* the rest of the inside */
        "https://10.0.0.1/",
        "https://10.1/",
        "https://167772161/",
        "https://012.0.0.1/",
        "https://172.16.0.1/",
        "https://172.31.255.255/",
        "https://192.168.0.1/",
        "https://192.168.257/",
        "https://3232235521/",
        "https://169.254.169.254/",
        "https://2852039166/",
        "https://0xa9fea9fe/",
        "https://0251.0376.0251.0376/",
        "https://169.254.43518/",
        "https://100.64.0.1/",
        "https://192.0.0.8/",
        "https://198.18.0.1/",
        "https://224.0.0.1/",
        "https://255.255.255.255/",
        "https://4294967295/",
        "https://0xffffffff/",
        "https://240.0.0.1/",
        /* numbers that are no address */
        "https://4294967296/",
        "https://256.1.1.1/",
        "https://1.2.3.4.5/",
        "https://0x100000000/",
        "https://127.0.0.1.0x/",
        "https://08.1/",
        "https://127.0.0.256/",
        /* names that are no name */
        "https://./",
        "https://../",
        "https://.example.com/",
        "https://example..com/",
        "https://exa(mple.com/",
        "https://exa$mple.com/",
        "https://a,b.com/",
        "https://a;b.com/",
    };
    struct why why;
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        why.text[0] = '\0';
        enum err e = url_check(forms[i], false, false, &why);
        if (e != ERR_INVALID || !why.text[0]) fail_msg("'%s': %s", forms[i], err_name(e));
    }
    char longer[URL_MAX + 2] = "https://example.com/";
    memset(longer + 20, 'a', sizeof longer - 21);
    longer[sizeof longer - 1] = '\0';
    assert_int_equal(url_check(longer, false, false, NULL), ERR_INVALID);
    longer[sizeof longer - 2] = '\0';
    assert_int_equal(url_check(longer, false, false, NULL), ERR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_that_are_fine),
        cmocka_unit_test(urls_that_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
