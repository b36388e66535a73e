package dev.outbox.jackson;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.annotation.JsonIgnore;
import dev.outbox.Codec;
import dev.outbox.ConfigurationException;
import dev.outbox.MessageRejectedException;
import java.lang.reflect.Array;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.GenericArrayType;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.MonthDay;
import java.time.OffsetDateTime;
import java.time.OffsetTime;
import java.time.Period;
import java.time.Year;
import java.time.YearMonth;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.Currency;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What a codec for JSON writes comes back equal or is refused, of types and classes that nobody has thought of. Whether two
 * values are equal is said by {@link #dump}, which knows nothing of how the codec compares them.
 */
@SuppressWarnings({"NullAway", "JavaUtilDate", "unused"})
public abstract class GeneratedJsonContract extends JsonCodecs {
    protected GeneratedJsonContract(JsonLibrary library) {
        super(library);
    }

    record Box<T>(T value) {}

    record Pair<A, B>(A first, B second) {}

    static class Bean<T> {
        public @Nullable T content;
        private int number;

        public int getNumber() {
            return number;
        }

        public void setNumber(int number) {
            this.number = number;
        }
    }

    enum Size {
        SMALL,
        LARGE {
            @Override
            public String toString() {
                return "xl";
            }
        }
    }

    /** A type of which values can be drawn; whether JSON surely keeps all of them. */
    private record Kind(Type type, boolean sure, Function<Random, @Nullable Object> draw) {}

    /** A generic type with its arguments. */
    private record Parametric(Class<?> raw, List<Type> arguments) implements ParameterizedType {
        static Parametric of(Class<?> raw, Type... arguments) {
            return new Parametric(raw, List.of(arguments));
        }

        @Override
        public Type[] getActualTypeArguments() {
            return arguments.toArray(Type[]::new);
        }

        @Override
        public Type getRawType() {
            return raw;
        }

        @Override
        public @Nullable Type getOwnerType() {
            return raw.getDeclaringClass();
        }

        @Override
        public String getTypeName() {
            return raw.getName()
                    + arguments.stream().map(Type::getTypeName).collect(Collectors.joining(", ", "<", ">"));
        }
    }

    private static Type arrayOf(Type element) {
        return element instanceof Class<?> type ? type.arrayType() : (GenericArrayType) () -> element;
    }

    private static Class<?> raw(Type type) {
        return type instanceof Parametric parametric
                ? parametric.raw()
                : type instanceof GenericArrayType array
                        ? raw(array.getGenericComponentType()).arrayType()
                        : (Class<?>) type;
    }

    private static boolean hasArray(Type type) {
        return type instanceof Parametric parametric
                ? parametric.arguments().stream().anyMatch(GeneratedJsonContract::hasArray)
                : raw(type).isArray();
    }

    private Kind leaf(Random random) {
        int drawn = random.nextInt(LEAVES.size() + 1);
        return drawn < LEAVES.size() ? LEAVES.get(drawn) : new Kind(treeType(), false, this::tree);
    }

    private static Kind kind(Class<?> type, boolean sure, Function<Random, @Nullable Object> draw) {
        return new Kind(type, sure, draw);
    }

    private static Instant instant(Random random) {
        return Instant.ofEpochSecond(
                random.nextLong(-100_000_000_000L, 200_000_000_000L), random.nextInt(1_000_000_000));
    }

    private static ZoneId zone(Random random) {
        List<String> zones = new ArrayList<>(new TreeSet<>(ZoneId.getAvailableZoneIds()));
        return random.nextInt(3) == 0 ? offset(random) : ZoneId.of(zones.get(random.nextInt(zones.size())));
    }

    private static ZoneOffset offset(Random random) {
        return ZoneOffset.ofTotalSeconds(random.nextInt(-64_800, 64_801));
    }

    private static String text(Random random) {
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(6); i > 0; i--) {
            text.appendCodePoint(
                    switch (random.nextInt(4)) {
                        case 0 -> random.nextInt(0x20);
                        case 1 -> random.nextInt(0xD800);
                        case 2 -> 0xE000 + random.nextInt(0x10FFFF - 0xE000);
                        default -> 'a' + random.nextInt(26);
                    });
        }
        return text.toString();
    }

    protected static BigDecimal decimal(Random random) {
        return new BigDecimal(new BigInteger(random.nextInt(200), random), random.nextInt(-400, 400));
    }

    private static final List<Kind> LEAVES = List.of(
            kind(String.class, true, GeneratedJsonContract::text),
            kind(Integer.class, true, Random::nextInt),
            kind(Long.class, true, Random::nextLong),
            kind(Short.class, true, r -> (short) r.nextInt()),
            kind(Byte.class, true, r -> (byte) r.nextInt()),
            kind(Boolean.class, true, Random::nextBoolean),
            kind(Double.class, true, r -> Double.longBitsToDouble(r.nextLong())),
            kind(Float.class, true, r -> Float.intBitsToFloat(r.nextInt())),
            kind(Character.class, false, r -> (char) r.nextInt()),
            kind(BigDecimal.class, true, GeneratedJsonContract::decimal),
            kind(BigInteger.class, true, r -> new BigInteger(r.nextInt(3_000), r)),
            kind(Instant.class, true, GeneratedJsonContract::instant),
            kind(OffsetDateTime.class, true, r -> instant(r).atOffset(offset(r))),
            kind(ZonedDateTime.class, true, r -> instant(r).atZone(zone(r))),
            kind(LocalDateTime.class, true, r -> instant(r).atOffset(offset(r)).toLocalDateTime()),
            kind(LocalDate.class, true, r -> instant(r).atOffset(offset(r)).toLocalDate()),
            kind(LocalTime.class, true, r -> instant(r).atOffset(offset(r)).toLocalTime()),
            kind(OffsetTime.class, true, r -> instant(r).atOffset(offset(r)).toOffsetTime()),
            kind(YearMonth.class, true, r -> YearMonth.of(r.nextInt(1, 10_000), r.nextInt(1, 13))),
            kind(MonthDay.class, true, r -> MonthDay.of(r.nextInt(1, 13), r.nextInt(1, 29))),
            kind(Year.class, true, r -> Year.of(r.nextInt(1, 10_000))),
            kind(Duration.class, true, r -> Duration.ofSeconds(r.nextLong() / 1_000, r.nextInt(1_000_000_000))),
            kind(Period.class, true, r -> Period.of(r.nextInt(), r.nextInt(), r.nextInt())),
            kind(ZoneId.class, true, GeneratedJsonContract::zone),
            kind(UUID.class, true, r -> new UUID(r.nextLong(), r.nextLong())),
            kind(URI.class, true, r -> URI.create("x:" + r.nextInt())),
            kind(Currency.class, true, r -> Currency.getInstance("EUR")),
            kind(Size.class, true, r -> Size.values()[r.nextInt(2)]),
            kind(byte[].class, true, r -> bytes(r)),
            kind(int[].class, true, r -> r.ints(r.nextInt(4)).toArray()),
            kind(double[].class, true, r -> r.doubles(r.nextInt(4)).toArray()),
            kind(char[].class, false, r -> Character.toChars(r.nextInt(0x10FFFF))),
            kind(java.util.Date.class, false, r -> new java.util.Date(r.nextLong())),
            kind(java.sql.Timestamp.class, false, r -> java.sql.Timestamp.from(Instant.ofEpochSecond(1, r.nextInt(9)))),
            kind(Locale.class, false, r -> Locale.getAvailableLocales()[r.nextInt(100)]),
            kind(Path.class, false, r -> Path.of(r.nextBoolean() ? "/a" : "a")),
            kind(Object.class, false, GeneratedJsonContract::anything),
            kind(Number.class, false, r -> r.nextBoolean() ? (Number) Long.valueOf(r.nextLong()) : decimal(r)),
            kind(CharSequence.class, false, r -> r.nextBoolean() ? "x" : java.nio.CharBuffer.wrap("x")),
            kind(Optional.class, false, r -> Optional.of("x")));

    private static byte[] bytes(Random random) {
        byte[] bytes = new byte[random.nextInt(5)];
        random.nextBytes(bytes);
        return bytes;
    }

    private static Object anything(Random random) {
        return switch (random.nextInt(8)) {
            case 0 -> "x";
            case 1 -> random.nextInt();
            case 2 -> random.nextLong();
            case 3 -> decimal(random);
            case 4 -> random.nextDouble();
            case 5 -> instant(random);
            case 6 -> new LinkedHashMap<>(Map.of("k", random.nextBoolean() ? "v" : 1L));
            default -> new ArrayList<>(List.of(random.nextFloat()));
        };
    }

    /** The class of trees. */
    protected abstract Class<?> treeType();

    protected abstract Object tree(Random random);

    /** All that a tree consists of; null if the value is none. */
    protected abstract @Nullable String dumpedTree(Object value);

    private Kind kind(Random random, int depth) {
        if (depth == 0 || random.nextInt(3) == 0) {
            return leaf(random);
        }
        Kind inner = kind(random, depth - 1);
        Kind other = kind(random, depth - 1);
        Function<Random, @Nullable Object> orNull =
                r -> r.nextInt(8) == 0 ? null : inner.draw().apply(r);
        return switch (random.nextInt(7)) {
            case 0 ->
                new Kind(
                        Parametric.of(List.class, inner.type()), inner.sure(), r -> some(r, orNull, new ArrayList<>()));
            case 1 ->
                new Kind(
                        Parametric.of(Set.class, inner.type()),
                        // Elements with an array in them are equal to none, so that a set of them cannot be compared.
                        inner.sure() && !hasArray(inner.type()),
                        r -> some(r, orNull, new LinkedHashSet<>()));
            case 2 -> map(random, inner);
            case 3 ->
                new Kind(arrayOf(inner.type()), inner.sure(), r -> {
                    List<Object> elements = new ArrayList<>();
                    some(r, inner.draw(), elements);
                    Object array = Array.newInstance(raw(inner.type()), elements.size());
                    for (int i = 0; i < elements.size(); i++) {
                        Array.set(array, i, elements.get(i));
                    }
                    return array;
                });
            case 4 ->
                new Kind(
                        Parametric.of(Pair.class, inner.type(), other.type()),
                        inner.sure() && other.sure(),
                        r -> new Pair<>(orNull.apply(r), other.draw().apply(r)));
            case 5 ->
                new Kind(Parametric.of(Bean.class, inner.type()), inner.sure(), r -> {
                    Bean<Object> bean = new Bean<>();
                    bean.content = orNull.apply(r);
                    bean.number = r.nextInt();
                    return bean;
                });
            default -> new Kind(Parametric.of(Box.class, inner.type()), inner.sure(), r -> new Box<>(orNull.apply(r)));
        };
    }

    private Kind map(Random random, Kind inner) {
        Kind key = leaf(random);
        Set<Class<?>> keys = Set.of(String.class, Integer.class, Long.class, UUID.class, Size.class);
        return new Kind(
                Parametric.of(Map.class, key.type(), inner.type()),
                inner.sure() && keys.contains(raw(key.type())),
                r -> {
                    Map<Object, Object> map = new LinkedHashMap<>();
                    for (int i = r.nextInt(3); i > 0; i--) {
                        map.put(key.draw().apply(r), inner.draw().apply(r));
                    }
                    return map;
                });
    }

    private static Object some(
            Random random, Function<Random, @Nullable Object> draw, java.util.Collection<@Nullable Object> into) {
        for (int i = random.nextInt(4); i > 0; i--) {
            into.add(draw.apply(random));
        }
        return into;
    }

    @Test
    void whatIsComposedOfKnownTypes() throws Exception {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        int kept = 0;
        int all = 0;
        for (int i = 0; i < 1_500; i++) {
            Kind kind = kind(random, 3);
            for (int n = 0; n < 4; n++) {
                Object value = kind.draw().apply(random);
                if (value == null) {
                    continue;
                }
                String what = kind.type().getTypeName() + " " + dump(value) + " of seed " + seed;
                boolean isKept = keeps(kind.type(), value, what);
                assertTrue(isKept || !kind.sure(), "refused: " + what);
                kept += isKept ? 1 : 0;
                all++;
            }
        }
        assertTrue(kept > all / 2, "kept " + kept + " of " + all);
    }

    /** Whether it was not refused; what is not refused must be equal. */
    private boolean keeps(Type type, Object value, String what) {
        try {
            Codec<Object> codec = library.json(type);
            byte[] payload = codec.encode(value);
            assertEquals(dump(value), dump(codec.decode(payload)), what);
            return true;
        } catch (ConfigurationException | MessageRejectedException e) {
            return false;
        } catch (Exception e) {
            if (failure().isInstance(e)) {
                return false;
            }
            throw new AssertionError(what, e);
        }
    }

    /** All that a value consists of. */
    protected final String dump(@Nullable Object value) {
        if (value == null) {
            return "null";
        }
        String tree = dumpedTree(value);
        if (tree != null) {
            return tree;
        }
        if (value instanceof Set<?> set) {
            return "Set" + set.stream().map(this::dump).sorted().toList();
        }
        if (value instanceof Iterable<?> list && !(value instanceof Path)) {
            return "List" + dumpAll(list);
        }
        if (value instanceof Map<?, ?> map) {
            Map<String, String> sorted = new TreeMap<>();
            map.forEach((k, v) -> sorted.put(dump(k), dump(v)));
            return "Map" + sorted;
        }
        if (value.getClass().isArray()) {
            List<Object> elements = new ArrayList<>();
            for (int i = 0; i < Array.getLength(value); i++) {
                elements.add(Array.get(value, i));
            }
            return value.getClass().getComponentType() + "Array" + dumpAll(elements);
        }
        String name = value.getClass().getName();
        return name + (name.startsWith("dev.outbox.") || name.startsWith("gen.") ? fields(value) : ":" + value);
    }

    protected final List<String> dumpAll(Iterable<?> elements) {
        List<String> all = new ArrayList<>();
        elements.forEach(e -> all.add(dump(e)));
        return all;
    }

    private String fields(Object value) {
        if (value instanceof Enum<?> constant) {
            return constant.name();
        }
        StringBuilder all = new StringBuilder("{");
        for (Class<?> c = value.getClass(); c != Object.class && c != Record.class; c = c.getSuperclass()) {
            for (Field field : c.getDeclaredFields()) {
                if (!Modifier.isStatic(field.getModifiers()) && field.getAnnotation(JsonIgnore.class) == null) {
                    field.setAccessible(true);
                    try {
                        all.append(c.getSimpleName() + "." + field.getName() + "=" + dump(field.get(value)) + " ");
                    } catch (IllegalAccessException e) {
                        throw new AssertionError(e);
                    }
                }
            }
        }
        return all.append("}").toString();
    }

    @Test
    void classesOfEveryShape(@TempDir Path directory) throws Exception {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        int count = 150;
        List<String> sources = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            sources.add(source(random, i));
        }
        List<String> javac = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "javac").toString(),
                "-proc:none",
                "-nowarn",
                "-d",
                directory.toString(),
                "-cp",
                Path.of(JsonIgnore.class
                                .getProtectionDomain()
                                .getCodeSource()
                                .getLocation()
                                .toURI())
                        .toString()));
        for (int i = 0; i < count; i++) {
            Path file = directory.resolve("C" + i + ".java");
            Files.writeString(file, sources.get(i));
            javac.add(file.toString());
        }
        assertEquals(0, new ProcessBuilder(javac).inheritIO().start().waitFor());
        int kept = 0;
        int all = 0;
        try (URLClassLoader loader =
                new URLClassLoader(new URL[] {directory.toUri().toURL()})) {
            for (int i = 0; i < count; i++) {
                Class<?> type = loader.loadClass("gen.C" + i);
                for (int n = 0; n < 4; n++) {
                    Object value = make(type, random);
                    boolean isKept = keeps(type, value, dump(value) + " of seed " + seed + ", " + sources.get(i));
                    kept += isKept ? 1 : 0;
                    all++;
                }
            }
        }
        assertTrue(kept > all / 8 && kept < all, "kept " + kept + " of " + all);
    }

    private static Object make(Class<?> type, Random random) throws ReflectiveOperationException {
        for (Constructor<?> constructor : type.getDeclaredConstructors()) {
            if (constructor.getParameterCount() > 0) {
                constructor.setAccessible(true);
                Object[] arguments = new Object[constructor.getParameterCount()];
                for (int i = 0; i < arguments.length; i++) {
                    Class<?> of = constructor.getParameterTypes()[i];
                    arguments[i] = of == int.class
                            ? (Object) random.nextInt(3)
                            : of == String.class
                                    ? List.of("", "x").get(random.nextInt(2))
                                    : of == List.class ? List.of("y") : make(of, random);
                }
                return constructor.newInstance(arguments);
            }
        }
        throw new AssertionError(type);
    }

    /** A class with fields of several types that are written and read in several ways, or not at all. */
    private static String source(Random random, int index) {
        int parent = index > 0 && random.nextInt(4) == 0 ? random.nextInt(index) : -1;
        int count = 1 + random.nextInt(3);
        StringBuilder body = new StringBuilder();
        List<String> types = new ArrayList<>();
        StringBuilder assigns = new StringBuilder();
        StringBuilder defaults = new StringBuilder();
        for (int i = 0; i < count; i++) {
            String type = switch (random.nextInt(index > 0 ? 4 : 3)) {
                case 0 -> "int";
                case 1 -> "String";
                case 2 -> "java.util.List<String>";
                default -> "C" + random.nextInt(index);
            };
            types.add(type);
            String name = "f" + index + "_" + i;
            boolean isFinal = random.nextInt(3) == 0;
            body.append(List.of(
                                    "",
                                    "",
                                    "",
                                    "@com.fasterxml.jackson.annotation.JsonProperty ",
                                    "@com.fasterxml.jackson.annotation.JsonIgnore ")
                            .get(random.nextInt(5)))
                    .append(random.nextInt(3) == 0 ? "public " : "private ")
                    .append(isFinal ? "final " : "")
                    .append(type + " " + name + ";\n");
            String property = "F" + name.substring(1);
            if (random.nextInt(3) > 0) {
                body.append("public " + type + " get" + property + "() { return " + name + "; }\n");
            }
            if (!isFinal && random.nextBoolean()) {
                body.append("public void set" + property + "(" + type + " v) { " + name + " = v; }\n");
            }
            assigns.append(name + " = p" + i + "; ");
            defaults.append(name + " = " + (type.equals("int") ? "7" : "null") + "; ");
        }
        boolean annotated = random.nextInt(3) == 0;
        StringBuilder signature = new StringBuilder();
        for (int i = 0; i < count; i++) {
            signature
                    .append(i == 0 ? "" : ", ")
                    .append(
                            annotated
                                    ? "@com.fasterxml.jackson.annotation.JsonProperty(\"f" + index + "_" + i + "\") "
                                    : "")
                    .append(types.get(i) + " p" + i);
        }
        body.append(annotated ? "@com.fasterxml.jackson.annotation.JsonCreator " : "")
                .append("C" + index + "(" + signature + ") { " + assigns + "}\n");
        body.append(random.nextInt(3) > 0 ? "public" : "protected").append(" C" + index + "() { " + defaults + "}\n");
        return "package gen;\npublic class C" + index + (parent < 0 ? "" : " extends C" + parent) + " {\n" + body
                + "}\n";
    }
}
