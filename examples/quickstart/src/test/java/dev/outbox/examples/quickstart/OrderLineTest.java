package dev.outbox.examples.quickstart;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OrderLineTest {
    private static final Order EXAMPLE =
            new Order(Instant.parse("2026-03-02T08:14:07Z"), "SO-104233", "C-1042", "KB-TKL-DE", 2, 8990, "EUR");

    @Test
    void readsAnOrder() throws BrokenLineException {
        assertEquals(new OrderLine(EXAMPLE, false), OrderLine.parse(OrderLine.EXAMPLE));
    }

    @Test
    void readsADeclinedOrder() throws BrokenLineException {
        assertEquals(
                new OrderLine(EXAMPLE, true), OrderLine.parse(OrderLine.EXAMPLE.replace("authorised", "declined")));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    2026-03-02T08:14:07Z | 02.03.2026 | placed_at is '02.03.2026', expected an ISO time such as 2026-03-02T08:14:07Z
                    SO-104233            | SO 104233  | order_no is 'SO 104233', expected 1 to 60 of the characters A-Z a-z 0-9 . _ -
                    C-1042               | ''         | customer is '', expected 1 to 60 of the characters A-Z a-z 0-9 . _ -
                    KB-TKL-DE            | KB/TKL     | sku is 'KB/TKL', expected 1 to 60 of the characters A-Z a-z 0-9 . _ -
                    ,2,                  | ,two,      | quantity is 'two', expected a whole number from 1 to 100000
                    ,2,                  | ,0,        | quantity is '0', expected a whole number from 1 to 100000
                    8990                 | 89.90      | unit_price_cents is '89.90', expected a whole number from 0 to 1000000000000
                    EUR                  | euro       | currency is 'euro', expected three capital letters such as EUR
                    authorised           | maybe      | payment is 'maybe', expected authorised or declined
                    ,EUR                 | ''         | 7 fields, expected 8 separated by commas: placed_at,order_no,customer,sku,quantity,unit_price_cents,currency,payment
                    """)
    void saysWhatIsWrongAndWhatWasExpected(String part, String broken, String message) {
        String line = OrderLine.EXAMPLE.replace(part, broken);
        assertEquals(
                message,
                assertThrows(BrokenLineException.class, () -> OrderLine.parse(line))
                        .getMessage());
    }

    @Test
    void aFileNamesItsBrokenLinesByNumber(@TempDir Path dir) throws Exception {
        String second = OrderLine.EXAMPLE.replace("SO-104233", "SO-104234");
        Path file = Files.writeString(
                dir.resolve("may.csv"),
                String.join(
                        "\r\n", OrderLine.HEADER, OrderLine.EXAMPLE, "", "no order", second, OrderLine.EXAMPLE, ""));

        OrderFile read = OrderFile.at(file);

        assertEquals(List.of(OrderLine.parse(OrderLine.EXAMPLE), OrderLine.parse(second)), read.lines());
        assertEquals(2, read.broken().size());
        assertTrue(read.broken().get(0).startsWith("may.csv:4: 1 fields, expected 8"), read.broken()::toString);
        assertEquals(
                "may.csv:6: order_no SO-104233 is that of line 2, expected each order once",
                read.broken().get(1));
    }

    @Test
    void aFileWithoutOrdersIsRefused(@TempDir Path dir) throws Exception {
        Path empty = Files.createFile(dir.resolve("empty.csv"));
        assertEquals("No order in empty.csv. It is empty; expected lines such as " + OrderLine.EXAMPLE, refusal(empty));

        Path wrong = Files.writeString(dir.resolve("wrong.csv"), "a;b;c\n");
        String first = "No order in wrong.csv. First: wrong.csv:1: 1 fields, expected 8";
        assertEquals(first, refusal(wrong).substring(0, first.length()));

        Path latin = Files.write(dir.resolve("latin.csv"), "J\u00fcrgen\n".getBytes(StandardCharsets.ISO_8859_1));
        assertEquals("Cannot read " + latin + ": expected text in UTF-8.", refusal(latin));
    }

    private static String refusal(Path file) {
        return String.valueOf(
                assertThrows(Failure.class, () -> OrderFile.at(file)).getMessage());
    }
}
