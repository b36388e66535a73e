package dev.outbox.examples.quickstart;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What a file of orders holds.
 *
 * @param name of the file, for people
 * @param lines its orders, in the order of the file
 * @param broken what is wrong with the lines that are none, each with its number
 */
record OrderFile(String name, List<OrderLine> lines, List<String> broken) {
    private static final String BUNDLED = "/orders.csv";

    /** The file that ships with the example. */
    static OrderFile bundled() {
        try (InputStream in = OrderFile.class.getResourceAsStream(BUNDLED)) {
            if (in == null) {
                throw Failure.usage("The example's own orders.csv is not on the class path: build it again, or name a"
                        + " file of orders.");
            }
            return read("orders.csv", in);
        } catch (IOException e) {
            throw Failure.usage("The example's own orders.csv cannot be read: " + e);
        }
    }

    static OrderFile at(Path path) {
        if (!Files.isRegularFile(path) || !Files.isReadable(path)) {
            throw Failure.usage("Cannot read " + path.toAbsolutePath() + ": expected a file of orders.");
        }
        try (InputStream in = Files.newInputStream(path)) {
            return read(String.valueOf(path.getFileName()), in);
        } catch (CharacterCodingException e) {
            throw Failure.usage("Cannot read " + path.toAbsolutePath() + ": expected text in UTF-8.");
        } catch (IOException e) {
            throw Failure.usage("Cannot read " + path.toAbsolutePath() + ": " + e);
        }
    }

    private static OrderFile read(String name, InputStream in) throws IOException {
        List<OrderLine> lines = new ArrayList<>();
        List<String> broken = new ArrayList<>();
        Map<String, Integer> seen = new HashMap<>();
        BufferedReader reader = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8.newDecoder()));
        int number = 0;
        for (String text = reader.readLine(); text != null; text = reader.readLine()) {
            number++;
            if (text.isBlank() || number == 1 && text.equals(OrderLine.HEADER)) {
                continue;
            }
            try {
                OrderLine line = OrderLine.parse(text);
                Integer earlier = seen.putIfAbsent(line.order().number(), number);
                if (earlier != null) {
                    throw new BrokenLineException("order_no " + line.order().number() + " is that of line " + earlier
                            + ", expected each order once");
                }
                lines.add(line);
            } catch (BrokenLineException e) {
                broken.add(name + ":" + number + ": " + e.getMessage());
            }
        }
        if (lines.isEmpty()) {
            throw Failure.usage("No order in " + name + ". "
                    + (broken.isEmpty() ? "It is empty; expected" : "First: " + broken.get(0) + ". Expected")
                    + " lines such as " + OrderLine.EXAMPLE);
        }
        return new OrderFile(name, List.copyOf(lines), List.copyOf(broken));
    }

    /** How many of the orders will commit, if nothing breaks. */
    int authorised() {
        return (int) lines.stream().filter(line -> !line.declined()).count();
    }
}
