package dev.outbox.internal.json;

import java.math.BigDecimal;
import java.net.URL;
import java.util.Arrays;
import java.util.Collection;
import java.util.IdentityHashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Values are the same if everything that a message consists of is; identity, capacity and caches are no part of it. */
final class Comparison {
    private final Contents contents;

    /** What is compared already or just now: graphs may have cycles. Made when first needed. */
    private @Nullable IdentityHashMap<Object, Object> met;

    Comparison(Contents contents) {
        this.contents = contents;
    }

    @Nullable
    Difference values(@Nullable Object written, @Nullable Object read, String path) {
        if (written == read) {
            return null;
        }
        if (written == null || read == null) {
            return new Difference(
                    path, written, read, written == null ? "was null and comes back" : "comes back as null");
        }
        Tree tree = contents.tree(written);
        Tree other = contents.tree(read);
        if (tree != null && other != null) {
            return isSame(tree, other, written, read) ? null : trees(tree, other, written, read, path);
        }
        if (written instanceof Map<?, ?> a && read instanceof Map<?, ?> b) {
            Difference difference = maps(a, b, path);
            return difference != null ? difference : ownFields(written, read, path);
        }
        if (written instanceof Collection<?> a && read instanceof Collection<?> b) {
            Difference difference = collections(a, b, path);
            return difference != null ? difference : ownFields(written, read, path);
        }
        if (written.getClass() != read.getClass()) {
            return new Difference(
                    path,
                    written,
                    read,
                    "is a " + written.getClass().getTypeName() + " and comes back as a "
                            + read.getClass().getTypeName());
        }
        return ofOneClass(written, read, path);
    }

    private @Nullable Difference ofOneClass(Object written, Object read, String path) {
        if (written.getClass().isArray()) {
            return arrays(written, read, path);
        }
        if (written instanceof Optional<?> a && read instanceof Optional<?> b) {
            return values(a.orElse(null), b.orElse(null), path);
        }
        if (written instanceof Map.Entry<?, ?> a && read instanceof Map.Entry<?, ?> b) {
            Difference difference = values(a.getKey(), b.getKey(), path + ".key");
            return difference != null ? difference : values(a.getValue(), b.getValue(), path + ".value");
        }
        if (written instanceof URL) { // its equals asks the network
            return written.toString().equals(read.toString()) ? null : another(written, read, path);
        }
        Content content = contents.of(written.getClass());
        return content.isWhole() ? fields(content, written, read, path) : whole(content, written, read, path);
    }

    private @Nullable Difference whole(Content content, Object written, Object read, String path) {
        if (!content.hasEquals() && !(written instanceof Enum)) {
            return new Difference(
                    path,
                    written,
                    read,
                    "is a " + written.getClass().getTypeName() + ", of which nobody can say whether two are equal");
        }
        return written.equals(read) ? fields(content, written, read, path) : another(written, read, path);
    }

    private @Nullable Difference fields(Content content, Object written, Object read, String path) {
        if (content.fields().isEmpty() || !isNew(written, read)) {
            return null;
        }
        for (Content.Part part : content.fields()) {
            Difference difference =
                    values(part.of(written), part.of(read), path.isEmpty() ? part.name() : path + "." + part.name());
            if (difference != null
                    && !(part.isHidden() && content.isWhole() && content.hasEquals() && written.equals(read))) {
                return difference;
            }
        }
        return null;
    }

    /** A list or map of a class of the application may have more than its elements. */
    private @Nullable Difference ownFields(Object written, Object read, String path) {
        Content content = contents.of(written.getClass());
        if (content.fields().isEmpty()) {
            return null;
        }
        if (written.getClass() != read.getClass()) {
            return written.equals(read) ? null : another(written, read, path);
        }
        return fields(content, written, read, path);
    }

    private boolean isNew(Object written, Object read) {
        if (met == null) {
            met = new IdentityHashMap<>();
        }
        return met.put(written, read) != read;
    }

    private @Nullable Difference arrays(Object written, Object read, String path) {
        if (!(written instanceof Object[] a) || !(read instanceof Object[] b)) {
            return Objects.deepEquals(written, read) ? null : another(written, read, path);
        }
        return collections(Arrays.asList(a), Arrays.asList(b), path);
    }

    private @Nullable Difference collections(Collection<?> written, Collection<?> read, String path) {
        boolean sameKind = (written instanceof List) == (read instanceof List)
                && (written instanceof Set) == (read instanceof Set);
        if (!sameKind) {
            return new Difference(
                    path,
                    written,
                    read,
                    "is a " + written.getClass().getTypeName() + " and comes back as a "
                            + read.getClass().getTypeName());
        }
        if (written.size() != read.size()) {
            return new Difference(
                    path, written, read, "has " + written.size() + " elements and comes back with " + read.size());
        }
        Difference first = null;
        Iterator<?> others = read.iterator();
        int index = 0;
        for (Object element : written) {
            first = values(element, others.next(), path + "[" + index++ + "]");
            if (first != null) {
                break;
            }
        }
        // A set has no order of its own, so another order is no difference.
        return first != null && written instanceof Set && hasAll(read, written) ? null : first;
    }

    private boolean hasAll(Collection<?> read, Collection<?> written) {
        return written.stream()
                .allMatch(element ->
                        read.stream().anyMatch(other -> new Comparison(contents).values(element, other, "") == null));
    }

    private @Nullable Difference maps(Map<?, ?> written, Map<?, ?> read, String path) {
        if (written.size() != read.size()) {
            return new Difference(
                    path, written, read, "has " + written.size() + " entries and comes back with " + read.size());
        }
        for (Map.Entry<?, ?> entry : written.entrySet()) {
            Object key = entry.getKey();
            if (!hasKey(read, key)) {
                return new Difference(
                        path,
                        written,
                        read,
                        "has a key, a "
                                + (key == null ? "null" : key.getClass().getTypeName())
                                + ", that comes back as something else");
            }
            Difference difference = values(entry.getValue(), read.get(key), path + "{}");
            if (difference != null) {
                return difference;
            }
        }
        return null;
    }

    private static boolean hasKey(Map<?, ?> map, @Nullable Object key) {
        try {
            return map.containsKey(key);
        } catch (NullPointerException | ClassCastException e) {
            return false; // as some maps say it
        }
    }

    private static boolean isSame(Tree tree, Tree other, Object written, Object read) {
        if (!tree.isNumber() || !other.isNumber()) {
            return !tree.isContainer() && written.equals(read);
        }
        try {
            return written.equals(read) || new BigDecimal(tree.number()).compareTo(new BigDecimal(other.number())) == 0;
        } catch (NumberFormatException e) {
            return false; // no number, as JSON has it
        }
    }

    private @Nullable Difference trees(Tree tree, Tree other, Object written, Object read, String path) {
        Map<String, ?> properties = tree.properties();
        Map<String, ?> otherProperties = other.properties();
        List<?> elements = tree.elements();
        List<?> otherElements = other.elements();
        if (!tree.kind().equals(other.kind())
                || properties.size() != otherProperties.size()
                || elements.size() != otherElements.size()) {
            return new Difference(
                    path, written, read, "is a node " + tree.kind() + " and comes back as " + other.kind());
        }
        if (!tree.isContainer()) {
            return another(written, read, path);
        }
        for (Map.Entry<String, ?> property : properties.entrySet()) {
            Difference difference = values(property.getValue(), otherProperties.get(property.getKey()), path + "{}");
            if (difference != null) {
                return difference;
            }
        }
        for (int i = 0; i < elements.size(); i++) {
            Difference difference = values(elements.get(i), otherElements.get(i), path + "[" + i + "]");
            if (difference != null) {
                return difference;
            }
        }
        return null;
    }

    private static Difference another(Object written, Object read, String path) {
        return new Difference(
                path,
                written,
                read,
                "comes back as another " + written.getClass().getTypeName());
    }
}
