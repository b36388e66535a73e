package dev.outbox.spi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RedactedTest {
    @ParameterizedTest
    @CsvSource({
        "postgresql://app:pw@db/x?ssl=true, postgresql://db/x",
        "jdbc:oracle:thin:app/pw@db:1521, jdbc:oracle:thin:…",
        "'jdbc:mysql://(host=db,password=x)/y', jdbc:mysql:…",
        "jdbc:postgresql://db:5432/shop?user=a&password=b, jdbc:postgresql://db:5432/shop",
        "jdbc:h2:file:./outbox;PASSWORD=x, jdbc:h2:file:./outbox",
        "redis://:pw@host:6379/0, redis://host:6379/0",
        "nonsense, nonsense"
    })
    void showsWhereButNotWho(String url, String shown) {}

    @ParameterizedTest
    @ValueSource(
            strings = {
                "x://app:SECRET@db",
                "x://app:p?SECRET@db/x",
                "x://app:p/w?SECRET@db",
                "x://app:SECRET@more@db/x",
                "x://app:SEC#RET;SECRET@db/x",
                "x://db/x?password=SECRET",
                "jdbc:oracle:thin:app/SECRET@db",
                "jdbc:oracle:thin:app/SECRET@//db:1521/svc",
                "jdbc:mysql://(host=db,user=me,password=SECRET)/shop",
                "jdbc:mysql://address=(host=db)(password=SECRET)/x",
                "jdbc:mysql:loadbalance://a,(password=SECRET)/x",
                "jdbc:db2://h/db:password=SECRET;x=y",
                "jdbc:informix-sqli://h:1/x:password=SECRET",
                "jdbc:teradata://db/x,PASSWORD=SECRET"
            })
    void neverShowsASecret(String url) {
        assertFalse(Redacted.url(url).contains("SECRET"), Redacted.url(url));
    }

    @Test
    void keepsTheEmptyText() {
        assertEquals("", Redacted.url(""));
    }
}
