package dev.outbox.jackson;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import dev.outbox.Codec;
import dev.outbox.Codecs;
import dev.outbox.ConfigurationException;
import dev.outbox.MessageRejectedException;
import dev.outbox.Outbox;
import dev.outbox.OutgoingMessage;
import dev.outbox.Topic;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What a codec for JSON writes comes back equal, or is refused with a reason: for every artifact that has one. */
@SuppressWarnings({
    "unused",
    "JavaUtilDate",
    "ClassCanBeStatic",
    "FieldCanBeFinal",
    "NullAway",
    "UnusedVariable",
    "ArrayRecordComponent"
})
public abstract class JsonCodecContract extends JsonCodecs {
    protected JsonCodecContract(JsonLibrary library) {
        super(library);
    }

    static class Order {
        public String customer = "";
    }

    static class Rush extends Order {
        public int hours;
    }

    record Basket(Order order) {}

    protected record Generic<T>(T value) {}

    static final class NoCreator {
        private final int cents;

        NoCreator(int cents, String currency) {
            this.cents = cents;
        }

        public int getCents() {
            return cents;
        }
    }

    class Inner {
        public int cents;
    }

    interface Shape {
        int area();
    }

    abstract static class Base {
        public int cents;
    }

    record HasShape(List<Map<String, Shape>> shapes) {}

    static class Hidden {
        private String secret = "";
        private int cents;

        Hidden() {}

        Hidden(String secret) {
            this.secret = secret;
        }
    }

    static class HalfHidden {
        private String secret = "";
        public int cents;

        HalfHidden() {}

        HalfHidden(String secret) {
            this.secret = secret;
        }
    }

    record Placed(String customer, int cents, Instant at) {}

    @Test
    void topicsFindIt() throws Exception {
        Topic<Placed> topic = Topic.builder("orders", Placed.class).build();
        List<OutgoingMessage> persisted = new ArrayList<>();
        Outbox.bind(topic, message -> {
                    persisted.add(message);
                    return message.id();
                })
                .publish(new Placed("C-1042", 1999, Instant.parse("2026-03-01T12:00:00Z")));
        assertEquals(
                "{\"customer\":\"C-1042\",\"cents\":1999,\"at\":\"2026-03-01T12:00:00Z\"}",
                new String(persisted.get(0).payload(), StandardCharsets.UTF_8));
    }

    @Test
    void whatANewerWriterAddedIsIgnored() throws Exception {
        byte[] newer = "{\"customer\":\"C-1\",\"cents\":5,\"at\":\"2026-03-01T12:00:00Z\",\"gift\":true}"
                .getBytes(StandardCharsets.UTF_8);
        assertEquals(5, Codecs.json(Placed.class).decode(newer).cents());
        assertEquals(
                List.of(1, 2), json(new TypeOf<List<Integer>>() {}).decode("[1,2]".getBytes(StandardCharsets.UTF_8)));
        byte[] nothing = "null".getBytes(StandardCharsets.UTF_8);
        assertThrows(IOException.class, () -> Codecs.json(Placed.class).decode(nothing));
        assertThrows(failure(), () -> Codecs.json(Placed.class).decode(new byte[] {'{'}));
    }

    @Test
    void aSubclassOfTheTypeIsRefused() {
        Rush rush = new Rush();
        rush.hours = 2;
        refused(json(Order.class), rush, "Rush and comes back as a", "Order");
        refused(json(Basket.class), new Basket(rush), "'order'");
        refused(json(new TypeOf<List<Order>>() {}), List.of(new Order(), rush), "'[1]'");
        refused(json(new TypeOf<Map<String, Order>>() {}), Map.of("a", rush), "'{}'");
        kept(json(Basket.class), new Basket(new Order()));
        MessageRejectedException rejected = assertThrows(
                MessageRejectedException.class,
                () -> Outbox.bind(Topic.builder("orders", Order.class).build(), OutgoingMessage::id)
                        .publish(rush));
        assertTrue(rejected.getMessage().startsWith("A message of topic orders is refused."), rejected.getMessage());
    }

    @Test
    void aTypeThatCannotBeReadIsRefusedWhenTheTopicIsBuilt() {
        unreadable(() -> json(NoCreator.class), "no constructor that Jackson can call");
        unreadable(() -> json(Inner.class), "inner class: make it static");
        unreadable(() -> json(Shape.class), "it is abstract");
        unreadable(() -> json(Base.class), "it is abstract");
        unreadable(() -> json(HasShape.class), "'shapes[][]'", "it is abstract");
        unreadable(() -> json(new TypeOf<List<NoCreator>>() {}), "'[]'");
        unreadable(() -> json(new TypeOf<NoCreator[]>() {}), "'[]'");
        unreadable(() -> json(new TypeOf<Generic<Generic<Inner>>>() {}), "'value.value'");
        unreadable(() -> json(new TypeOf<Map<Order, String>>() {}), "Order");
        unreadable(() -> json(Hidden.class), "none of them is written");
        unreadable(() -> json(new Object() {}.getClass()), "");
        unreadable(() -> Topic.builder("t", Shape.class), "Shape", library.name() + ".json(mapper, type)");
    }

    @Test
    void aFieldThatIsNotWrittenIsMissed() {
        refused(json(HalfHidden.class), new HalfHidden("x"), "'secret'", "comes back as another java.lang.String");
        kept(json(HalfHidden.class), new HalfHidden());
    }

    /** What the application has said is not to be kept is not missed. */
    static class Chosen {
        @JsonIgnore
        private String ignored = "";

        private transient String cached = "";

        @JsonProperty
        private String sent;

        private int hash;

        Chosen() {
            this("");
        }

        Chosen(String text) {
            ignored = text;
            cached = text;
            sent = text;
        }

        @Override
        public boolean equals(@Nullable Object o) {
            return o instanceof Chosen other && sent.equals(other.sent);
        }

        @Override
        public int hashCode() {
            hash = sent.hashCode();
            return hash;
        }
    }

    @Test
    void whatIsIgnoredTransientOrACacheIsNotMissed() {
        Chosen chosen = new Chosen("x");
        assertTrue(chosen.hashCode() != 0);
        assertEquals(chosen, kept(json(Chosen.class), chosen));
    }

    @JsonInclude(JsonInclude.Include.NON_NULL)
    static class Defaulted {
        public @Nullable String text = "default";
    }

    @Test
    void nullThatIsLeftOutAndComesBackAsADefaultIsRefused() {
        Defaulted none = new Defaulted();
        none.text = null;
        refused(json(Defaulted.class), none, "'text' was null and comes back");
    }

    record Times(OffsetDateTime offset, ZonedDateTime zoned, Duration duration, Instant instant, LocalDate date) {}

    @Test
    void timesKeepTheirOffsetsAndZonesAndAreInIsoForm() throws Exception {
        Times times = new Times(
                OffsetDateTime.parse("2026-03-01T12:00:00.123456789+02:00"),
                ZonedDateTime.of(2026, 10, 25, 2, 30, 0, 0, ZoneId.of("Europe/Berlin"))
                        .withLaterOffsetAtOverlap(),
                Duration.ofSeconds(90),
                Instant.parse("2026-03-01T12:00:00Z"),
                LocalDate.parse("2026-03-01"));
        assertEquals(times, kept(json(Times.class), times));
        assertEquals(
                "{\"offset\":\"2026-03-01T12:00:00.123456789+02:00\",\"zoned\":\"2026-10-25T02:30:00+01:00[Europe/Berlin]\","
                        + "\"duration\":\"PT1M30S\",\"instant\":\"2026-03-01T12:00:00Z\",\"date\":\"2026-03-01\"}",
                new String(json(Times.class).encode(times), StandardCharsets.UTF_8));
        for (String zone : List.of("UTC", "GMT", "Z", "+02:00", "UTC+02:00", "Asia/Kolkata")) {
            ZonedDateTime zoned = ZonedDateTime.of(2026, 3, 1, 12, 0, 0, 0, ZoneId.of(zone));
            assertEquals(zoned, kept(json(ZonedDateTime.class), zoned));
        }
        assertEquals(
                Duration.ofSeconds(90), json(Duration.class).decode("90.000000000".getBytes(StandardCharsets.UTF_8)));
    }

    @Test
    void inAMapOfObjectOnlyWhatJsonTellsApartIsKept() {
        Codec<Map<String, Object>> codec = json(new TypeOf<Map<String, Object>>() {});
        Map<String, Object> fine = new HashMap<>(Map.of(
                "s", "x", "i", 1, "l", Long.MAX_VALUE, "d", 1.5, "b", true, "list", List.of(1, Map.of("k", "v"))));
        fine.put("null", null);
        assertEquals(fine, kept(codec, fine));
        for (Object lost : Arrays.<Object>asList(
                new BigDecimal("1.10"),
                new BigDecimal("1.5"),
                1L,
                (short) 1,
                1f,
                Instant.EPOCH,
                UUID.randomUUID(),
                'c',
                new byte[] {1},
                Set.of(1),
                Double.NaN,
                new Order(),
                BigInteger.ONE,
                Locale.ROOT,
                new Object())) {
            refused(codec, Map.of("n", lost), "'{}'");
        }
        refused(json(Generic.class), new Generic<>(new Order()), "'value'", "LinkedHashMap");
        assertEquals(new Generic<>("x"), kept(json(Generic.class), new Generic<>("x")));
    }

    @Test
    void whatIsTooLongToBeReadAgainIsRefused() {
        refused(json(BigInteger.class), BigInteger.TEN.pow(1_001), "cannot be read again");
        assertEquals(BigInteger.TEN.pow(900), kept(json(BigInteger.class), BigInteger.TEN.pow(900)));
        Codec<Map<String, String>> map = json(new TypeOf<Map<String, String>>() {});
        refused(map, Map.of("x".repeat(60_000), ""), "cannot be read again");
        List<Object> nested = new ArrayList<>();
        for (int i = 0; i < 1_100; i++) {
            nested = new ArrayList<>(List.of(nested));
        }
        refused(json(new TypeOf<List<Object>>() {}), nested, "");
    }

    @Test
    void halfASurrogatePairIsKeptOrRefused() {
        keptOrRefused(json(String.class), "\uD800");
        keptOrRefused(json(String.class), "x\uDC00y");
        keptOrRefused(json(Character.class), '\uD83D');
        keptOrRefused(json(new TypeOf<Map<String, Integer>>() {}), Map.of("\uD800", 1));
        assertEquals("😀\u0000", kept(json(String.class), "😀\u0000"));
    }

    enum Colour {
        RED {
            @Override
            public String toString() {
                return "as red as can be";
            }
        },
        GREEN
    }

    record Odds(
            double nan,
            float f,
            char c,
            byte[] bytes,
            char[] chars,
            int[][] table,
            Colour colour,
            UUID uuid,
            Locale locale,
            java.util.Date at,
            List<@Nullable String> nulls,
            Map<Colour, Integer> byColour,
            Map<Integer, String> byNumber,
            Set<Integer> inOrder) {}

    record Empty() {}

    @Test
    void oddValuesOfDeclaredTypesAreKept() throws Exception {
        Odds odds = new Odds(
                Double.NaN,
                -0.0f,
                'x',
                new byte[] {0, -1},
                new char[] {'a', 'b'},
                new int[][] {{1}, {}},
                Colour.RED,
                UUID.randomUUID(),
                Locale.GERMANY,
                new java.util.Date(1),
                Arrays.asList("a", null),
                Map.of(Colour.RED, 1, Colour.GREEN, 2),
                Map.of(-1, "x"),
                new LinkedHashSet<>(List.of(3, 1, 2)));
        Odds back = kept(json(Odds.class), odds);
        assertEquals(List.of(3, 1, 2), List.copyOf(new ArrayList<>(back.inOrder())));
        assertEquals(new Empty(), kept(json(Empty.class), new Empty()));
        refused(json(Path.class), Path.of("relative"), "comes back as another");
        kept(json(Path.class), Path.of("/tmp").toAbsolutePath());
        refused(json(Pattern.class), Pattern.compile("x", Pattern.CASE_INSENSITIVE), "nobody can say");
        refused(json(java.util.Date.class), new java.sql.Timestamp(1), "java.util.Date");
        TreeSet<String> backwards = new TreeSet<>(java.util.Comparator.reverseOrder());
        backwards.addAll(List.of("a", "b"));
        assertEquals(backwards, kept(json(new TypeOf<TreeSet<String>>() {}), backwards));
    }

    @JsonTypeInfo(use = JsonTypeInfo.Id.NAME)
    @JsonSubTypes(@JsonSubTypes.Type(value = Circle.class, name = "circle"))
    sealed interface Figure permits Circle, Square {}

    record Circle(int radius) implements Figure {}

    record Square(int side) implements Figure {}

    @JsonTypeInfo(use = JsonTypeInfo.Id.NAME)
    @JsonSubTypes(@JsonSubTypes.Type(value = Unreadable.class, name = "unreadable"))
    interface Vehicle {}

    record Unreadable(NoCreator broken) implements Vehicle {}

    @Test
    void polymorphicTypesAreKeptIfTheirNamesAre() {
        assertEquals(new Circle(1), kept(json(Figure.class), new Circle(1)));
        refused(json(Figure.class), new Square(1), "cannot be read again");
        kept(json(new TypeOf<Generic<List<Figure>>>() {}), new Generic<>(List.of(new Circle(1))));
        unreadable(() -> json(Vehicle.class), "'broken'");
        unreadable(() -> json(new TypeOf<Generic<List<Vehicle>>>() {}), "'value[].broken'");
    }

    static class Cart extends ArrayList<String> {
        private static final long serialVersionUID = 1L;
        private String owner = "";
    }

    @Test
    void aListWithAFieldOfItsOwnIsRefused() {
        Cart cart = new Cart();
        cart.add("x");
        kept(json(Cart.class), cart);
        cart.owner = "me";
        refused(json(Cart.class), cart, "'owner'");
    }

    static class Node {
        public @Nullable Node next;
        public int number;
    }

    @Test
    void whatRefersToItselfIsRefusedAndALongChainIsNot() {
        Node node = new Node();
        node.next = node;
        refused(json(Node.class), node, "");
        Node head = new Node();
        Node last = head;
        for (int i = 0; i < 200; i++) {
            last.next = new Node();
            last = last.next;
            last.number = i;
        }
        kept(json(Node.class), head);
    }

    static final class Padded {
        private final String text;

        @JsonCreator
        Padded(@JsonProperty("text") String text) {
            this.text = text + " ";
        }

        public String getText() {
            return text;
        }
    }

    record Shouting(String text) {
        @Override
        public String text() {
            return text.toUpperCase(Locale.ROOT);
        }
    }

    @Test
    void aConstructorOrAccessorThatChangesTheValueIsNoticed() {
        refused(json(Padded.class), new Padded("x"), "'text'");
        refused(json(Shouting.class), new Shouting("x"), "'text'");
        assertEquals(new Shouting("X"), kept(json(Shouting.class), new Shouting("X")));
    }

    @Test
    void aMapperOfOnesOwnIsLeftAsItIs() throws Exception {
        Codec<Order> codec = library.ofAPlainMapper(Order.class);
        Rush rush = new Rush();
        rush.customer = "c";
        assertEquals("{\"customer\":\"c\"}", new String(codec.encode(rush), StandardCharsets.UTF_8));
        Codec<NoCreator> writeOnly = library.ofAPlainMapper(NoCreator.class);
        assertEquals("{\"cents\":5}", new String(writeOnly.encode(new NoCreator(5, "EUR")), StandardCharsets.UTF_8));
    }

    @Test
    void aVerifiedCodecSaysWhatDiffersAndShowsIt() throws Exception {
        Codec<String> trimming = new Codec<>() {
            @Override
            public byte[] encode(String message) {
                return message.strip().getBytes(StandardCharsets.UTF_8);
            }

            @Override
            public String decode(byte[] payload) {
                return new String(payload, StandardCharsets.UTF_8);
            }
        };
        Codec<String> verified = verified(trimming);
        assertEquals("x", verified.decode(verified.encode("x")));
        refused(verified, "x ", "the message comes back as another java.lang.String (x , read as x)");
        Codec<Basket> own = verified(library.ofAPlainMapper(Basket.class));
        Basket basket = new Basket(new Order());
        kept(own, basket);
        basket.order().customer = "me";
        kept(own, basket);
        refused(own, new Basket(new Rush()), "");
        kept(verified(Codecs.bytes()), new byte[] {1, 2});
    }

    protected static <T> T kept(Codec<T> codec, T message) {
        try {
            return codec.decode(codec.encode(message));
        } catch (Exception e) {
            throw new AssertionError("refused: " + message, e);
        }
    }

    private <T> void keptOrRefused(Codec<T> codec, T message) {
        try {
            assertEquals(message, codec.decode(codec.encode(message)));
        } catch (Exception e) {
            assertTrue(e instanceof MessageRejectedException || failure().isInstance(e), e.toString());
        }
    }

    protected final <T> void refused(Codec<T> codec, T message, String... says) {
        byte[] written;
        try {
            written = codec.encode(message);
        } catch (Exception e) {
            if (!(e instanceof MessageRejectedException) && !failure().isInstance(e)) {
                throw new AssertionError("another exception", e);
            }
            for (String part : says) {
                assertTrue(Objects.requireNonNull(e.getMessage()).contains(part), e.getMessage());
            }
            return;
        }
        fail("written: " + new String(written, StandardCharsets.UTF_8));
    }

    protected final void unreadable(Supplier<?> codec, String... says) {
        String text = assertThrows(ConfigurationException.class, codec::get).getMessage();
        for (String part : says) {
            assertTrue(text.contains(part), text);
        }
    }
}
