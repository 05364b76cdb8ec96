// SPDX-License-Identifier: Apache-2.0
#include "linnet/data/pen.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "linnet/core/math.h"
#include "linnet/data/glyphs.h"

namespace linnet::data {
namespace {

constexpr int kCanvas = 40;       ///< larger than the image: room to move the centre of mass
constexpr double kBox = 20.0;     ///< the longer side of the written digit, in pixels
constexpr int kStepsPerSpan = 7;  ///< straight pieces between two knots

struct Point {
  double x = 0.0, y = 0.0;
};
/// A point of the pen's path and the pen's radius there.
struct Dab {
  Point at;
  double radius = 1.0;
};
using Path = std::vector<Dab>;
using Canvas = std::array<double, kCanvas * kCanvas>;

const Glyph& choose(std::span<const Glyph> ways, Rng& rng) {
  double total = 0.0;
  for (const Glyph& way : ways) total += way.weight;
  double left = rng.uniform(0.0, total);
  for (const Glyph& way : ways)
    if ((left -= way.weight) < 0.0) return way;
  return ways.back();
}

/// Points of a Catmull-Rom curve through p1 and p2; t in [0, 1).
Point between(Point p0, Point p1, Point p2, Point p3, double t) {
  const auto blend = [t](double a, double b, double c, double d) {
    return b + 0.5 * t * (c - a + t * (2.0 * a - 5.0 * b + 4.0 * c - d + t * (3.0 * (b - c) + d - a)));
  };
  return {blend(p0.x, p1.x, p2.x, p3.x), blend(p0.y, p1.y, p2.y, p3.y)};
}

/// The curve through the knots, each moved a little; at a corner both neighbours end straight.
std::vector<Point> trace(const Stroke& stroke, double unsteady, Rng& rng) {
  std::vector<Point> knots;
  for (const Knot& knot : stroke)
    knots.push_back({knot.x + unsteady * rng.normal(), knot.y + unsteady * rng.normal()});
  const auto count = static_cast<int>(knots.size());
  std::vector<Point> points;
  for (int i = 0; i + 1 < count; ++i) {
    const Point p1 = knots[i], p2 = knots[i + 1];
    const bool starts = i == 0 || stroke[i].corner;
    const bool ends = i + 2 == count || stroke[i + 1].corner;
    const Point p0 = starts ? Point{2 * p1.x - p2.x, 2 * p1.y - p2.y} : knots[i - 1];
    const Point p3 = ends ? Point{2 * p2.x - p1.x, 2 * p2.y - p1.y} : knots[i + 2];
    for (int step = 0; step < kStepsPerSpan; ++step)
      points.push_back(between(p0, p1, p2, p3, step / double{kStepsPerSpan}));
  }
  points.push_back(knots.back());
  return points;
}

/// A smooth random displacement of the plane: a few long waves.
class Elastic {
 public:
  Elastic(double strength, Rng& rng) {
    for (Wave& wave : waves_)
      wave = {rng.uniform(-1.1, 1.1), rng.uniform(-1.1, 1.1), rng.uniform(), strength * rng.normal(),
              strength * rng.normal()};
  }
  Point operator()(Point p) const {
    Point moved = p;
    for (const Wave& wave : waves_) {
      const double height = math::sin_turn(wave.along_x * p.x + wave.along_y * p.y + wave.phase);
      moved.x += wave.move_x * height;
      moved.y += wave.move_y * height;
    }
    return moved;
  }

 private:
  struct Wave {
    double along_x, along_y, phase, move_x, move_y;
  };
  std::array<Wave, 3> waves_;
};

/// Width, slant and rotation of one person's hand, as a 2 x 2 matrix.
struct Affine {
  double xx, xy, yx, yy;
  Point operator()(Point p) const { return {xx * p.x + xy * p.y, yx * p.x + yy * p.y}; }
};

Affine random_hand(double width, Rng& rng) {
  const double stretch = width * math::exp(0.15 * rng.normal());
  const double slant = -0.16 + 0.2 * rng.normal();  // y points down: negative leans to the right
  const double turn = 0.024 * rng.normal();
  const double c = math::cos_turn(turn), s = math::sin_turn(turn);
  return {c * stretch, c * slant - s, s * stretch, s * slant + c};
}

/// Scales the digit, pen included, into the box; then the pen's radius is in pixels too.
void fit(std::vector<Path>& paths, double pen) {
  Point low{1e9, 1e9}, high{-1e9, -1e9};
  for (const Path& path : paths)
    for (const Dab& dab : path) {
      low = {std::min(low.x, dab.at.x), std::min(low.y, dab.at.y)};
      high = {std::max(high.x, dab.at.x), std::max(high.y, dab.at.y)};
    }
  const double longest = std::max(high.x - low.x, high.y - low.y);
  const double scale = (kBox - 2.0 * pen) / longest;
  const Point centre{(low.x + high.x) / 2, (low.y + high.y) / 2};
  for (Path& path : paths)
    for (Dab& dab : path)
      dab.at = {kCanvas / 2 + scale * (dab.at.x - centre.x), kCanvas / 2 + scale * (dab.at.y - centre.y)};
}

/// Ink of one straight piece: full inside the pen, falling to nothing over `soft` pixels at its edge.
void draw_piece(Canvas& ink, const Dab& a, const Dab& b, double soft) {
  const double reach = std::max(a.radius, b.radius) + soft;
  const auto first = [&](double p, double q) {
    return std::max(0, static_cast<int>(std::min(p, q) - reach));
  };
  const auto last = [&](double p, double q) {
    return std::min(kCanvas - 1, static_cast<int>(std::max(p, q) + reach));
  };
  const Point along{b.at.x - a.at.x, b.at.y - a.at.y};
  const double length2 = std::max(along.x * along.x + along.y * along.y, 1e-12);
  for (int row = first(a.at.y, b.at.y); row <= last(a.at.y, b.at.y); ++row)
    for (int column = first(a.at.x, b.at.x); column <= last(a.at.x, b.at.x); ++column) {
      const Point from{column + 0.5 - a.at.x, row + 0.5 - a.at.y};
      const double t = std::clamp((from.x * along.x + from.y * along.y) / length2, 0.0, 1.0);
      const double dx = from.x - t * along.x, dy = from.y - t * along.y;
      const double edge = a.radius + t * (b.radius - a.radius) - std::sqrt(dx * dx + dy * dy);
      double& pixel = ink[row * kCanvas + column];
      pixel = std::max(pixel, std::clamp(0.5 + edge / soft, 0.0, 1.0));
    }
}

/// Moves the canvas by whole pixels so that the centre of mass comes to the middle, and adds the grain.
void develop(const Canvas& ink, Rng& rng, std::span<std::uint8_t> pixels) {
  double mass = 0.0, x = 0.0, y = 0.0;
  for (int row = 0; row < kCanvas; ++row)
    for (int column = 0; column < kCanvas; ++column) {
      const double here = ink[row * kCanvas + column];
      mass += here;
      x += here * (column + 0.5);
      y += here * (row + 0.5);
    }
  const auto begin = [mass](double moment) {
    return std::clamp(static_cast<int>(moment / mass - kDigitSide / 2 + 0.5), 0, kCanvas - kDigitSide);
  };
  const int left = begin(x), top = begin(y);
  const double darkest = rng.uniform(0.9, 1.0), grain = rng.uniform(0.0, 0.08);
  for (int row = 0; row < kDigitSide; ++row)
    for (int column = 0; column < kDigitSide; ++column) {
      const double here = ink[(top + row) * kCanvas + left + column];
      double value = 0.0;
      if (here > 0.0) value = std::clamp(here * (darkest + grain * rng.normal()), 0.0, 1.0);
      pixels[row * kDigitSide + column] = static_cast<std::uint8_t>(255.0 * value + 0.5);
    }
}

}  // namespace

void draw_digit(int digit, Rng& rng, std::span<std::uint8_t> pixels) {
  const Glyph& glyph = choose(glyphs(digit), rng);
  const Affine hand = random_hand(glyph.width, rng);
  const Elastic bend(0.027, rng);
  const double unsteady = 0.022;
  const double pen = math::exp(0.28 + 0.28 * rng.normal());  // radius, in pixels
  const double soft = rng.uniform(0.8, 1.4);

  std::vector<Path> paths;
  for (const Stroke& stroke : glyph.strokes) {
    const double swell = rng.uniform(-0.2, 0.2), phase = rng.uniform();
    const std::vector<Point> points = trace(stroke, unsteady, rng);
    Path& path = paths.emplace_back();
    for (std::size_t i = 0; i < points.size(); ++i) {
      const double along = static_cast<double>(i) / static_cast<double>(points.size());
      path.push_back({hand(bend(points[i])), pen * (1.0 + swell * math::sin_turn(0.7 * along + phase))});
    }
  }
  fit(paths, pen);

  Canvas ink{};
  for (const Path& path : paths)
    for (std::size_t i = 0; i + 1 < path.size(); ++i) draw_piece(ink, path[i], path[i + 1], soft);
  develop(ink, rng, pixels);
}

}  // namespace linnet::data
