package dev.outbox.examples.quickstart;

import java.time.DateTimeException;
import java.time.Instant;
import java.util.regex.Pattern;

/**
 * A line of the orders file: an order, and what the payment provider said when it was asked.
 *
 * <pre>{@code 2026-03-02T08:14:07Z,SO-104233,C-1042,KB-TKL-DE,2,8990,EUR,authorised}</pre>
 */
record OrderLine(Order order, boolean declined) {
    static final String HEADER = "placed_at,order_no,customer,sku,quantity,unit_price_cents,currency,payment";
    static final String EXAMPLE = "2026-03-02T08:14:07Z,SO-104233,C-1042,KB-TKL-DE,2,8990,EUR,authorised";

    private static final int FIELDS = 8;
    private static final int LONGEST_NAME = 60;
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._-]{1," + LONGEST_NAME + "}");
    private static final Pattern CURRENCY = Pattern.compile("[A-Z]{3}");

    static OrderLine parse(String line) throws BrokenLineException {
        String[] fields = line.split(",", -1);
        if (fields.length != FIELDS) {
            throw new BrokenLineException(
                    fields.length + " fields, expected " + FIELDS + " separated by commas: " + HEADER);
        }
        Order order = new Order(
                time(fields[0]),
                name("order_no", fields[1]),
                name("customer", fields[2]),
                name("sku", fields[3]),
                (int) number("quantity", fields[4], 1, 100_000),
                number("unit_price_cents", fields[5], 0, 1_000_000_000_000L),
                currency(fields[6]));
        return new OrderLine(order, declined(fields[7]));
    }

    private static Instant time(String field) throws BrokenLineException {
        try {
            return Instant.parse(field);
        } catch (DateTimeException e) {
            throw broken("placed_at", field, "an ISO time such as 2026-03-02T08:14:07Z");
        }
    }

    private static String name(String what, String field) throws BrokenLineException {
        if (!NAME.matcher(field).matches()) {
            throw broken(what, field, "1 to " + LONGEST_NAME + " of the characters A-Z a-z 0-9 . _ -");
        }
        return field;
    }

    private static long number(String what, String field, long least, long most) throws BrokenLineException {
        try {
            long number = Long.parseLong(field);
            if (number >= least && number <= most) {
                return number;
            }
        } catch (NumberFormatException e) {
            // Said below, together with what is out of range.
        }
        throw broken(what, field, "a whole number from " + least + " to " + most);
    }

    private static String currency(String field) throws BrokenLineException {
        if (!CURRENCY.matcher(field).matches()) {
            throw broken("currency", field, "three capital letters such as EUR");
        }
        return field;
    }

    private static boolean declined(String field) throws BrokenLineException {
        return switch (field) {
            case "authorised" -> false;
            case "declined" -> true;
            default -> throw broken("payment", field, "authorised or declined");
        };
    }

    private static BrokenLineException broken(String what, String found, String expected) {
        String shown = found.length() <= 40 ? found : found.substring(0, 40) + "...";
        return new BrokenLineException(what + " is '" + shown + "', expected " + expected);
    }
}
